"""Inspectors comment, ask and draw samples through a door of their own; the school answers."""

import csv
import hashlib
import io
import json
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from reports.actions import seal
from reports.oversight.pack import pack_of
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import fetch_tuples
from safety.doors import DoorError
from safety.duties import close_at
from safety.education.tables import ClassSession
from tests.cast import Cast
from tests.county import entry_of, make_county
from tests.web.conftest import Visit

Q3 = Period.parse("2026Q3")
BASE = "/notes/schools/S001"


@pytest.fixture
async def county(cast: Cast) -> Cast:
    await make_county(cast)
    return cast


def key_of(text: str) -> str:
    found = re.search(r'name="submission_key" value="([^"]+)"', text)
    assert found is not None
    return found[1]


async def test_an_inspector_asks_about_an_entry_and_the_officer_answers(visit: Visit, county: Cast) -> None:
    inspector, officer = await visit("inspector"), await visit("officer")
    entry = await entry_of(ClassSession, county.school)
    page = (await inspector.get(f"/inspect/schools/S001/ledgers/class_sessions/{entry}")).text
    path = f"{BASE}/new?ledger=class_sessions&entry={entry}"
    assert path.replace("&", "&amp;") in page
    form = (await inspector.get(path)).text
    assert "质询：请学校答复" in form
    other = re.search(r'class="lang" href="([^"]+)"', form)
    assert other is not None
    assert "A query: the school is to answer" in (await inspector.get(other[1].replace("&amp;", "&"))).text
    assert (await inspector.get(f"{path}&lang=zh")).status_code == 200
    refused = await inspector.send_form(path, kind="query", text="", submission_key=key_of(form))
    assert refused.status_code == 400
    assert "请填写" in refused.text
    sent = await inspector.send_form(
        path, kind="query", text="到课人数为何偏少？", submission_key=key_of(form)
    )
    assert sent.status_code == 303
    thread = sent.headers["location"].split("?")[0]
    assert "1条待答复" in (await officer.get("/")).text
    asked = (await officer.get(thread)).text
    assert "到课人数为何偏少？" in asked
    answered = await officer.send_form(
        thread, kind="answer", text="流感请假，已补课", submission_key=key_of(asked)
    )
    assert answered.status_code == 303
    assert "待答复" not in (await officer.get("/")).text
    shown = (await inspector.get(thread)).text
    assert "流感请假，已补课" in shown
    settled = await inspector.send_form(thread, kind="settled", text="", submission_key=key_of(shown))
    assert settled.status_code == 303
    assert "已办结" in (await inspector.get(BASE)).text


async def test_a_sample_is_drawn_and_shown(visit: Visit, county: Cast) -> None:
    inspector = await visit("inspector", language="en")
    form = (await inspector.get(f"{BASE}/samples")).text
    bad = await inspector.send_form(
        f"{BASE}/samples", period="2026Q3", ledger="", size="many", submission_key=key_of(form)
    )
    assert bad.status_code == 400
    assert "not a whole number" in bad.text
    sent = await inspector.send_form(
        f"{BASE}/samples", period="2026Q3", ledger="", size="20", submission_key=key_of(form)
    )
    assert sent.status_code == 303
    drawn = (await inspector.get(sent.headers["location"])).text
    assert len(set(re.findall(r"/inspect/schools/S001/ledgers/\w+/[0-9a-f-]{36}", drawn))) == 20
    assert "the same" in drawn


async def test_nobody_else_gets_through_the_door(visit: Visit, county: Cast) -> None:
    for name in ("outsider", "teacher"):
        browser = await visit(name)
        assert (await browser.get(BASE)).status_code in {403, 404}
        assert (await browser.send_form(f"{BASE}/new?period=2026Q3&line=T1")).status_code in {403, 404}
    officer = await visit("officer")
    assert (await officer.get(f"{BASE}/samples")).status_code == 403
    assert (await officer.send_form(f"{BASE}/new?period=2026Q3&line=T1", text="x")).status_code == 403
    inspector = await visit("inspector")
    assert (await inspector.get("/notes/schools/S003")).status_code == 404
    refused = await inspector.post(f"{BASE}/new?period=2026Q3&line=T1", data={"text": "x", "kind": "query"})
    assert refused.status_code == 403  # no form token
    assert await fetch_tuples(None, "select count(*) from inspection_note") == [(0,)]


async def test_what_runs_behind_the_door_writes_nothing_else(
    visit: Visit, county: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = []

    async def meddle(*args: object) -> None:
        try:
            await fetch_tuples(None, "update school set name = 'x' where code = 'S001'")
        except DoorError as error:
            reached.append(error)
            raise

    monkeypatch.setattr("reports.oversight.actions.begin", meddle)
    inspector = await visit("inspector")
    answer = await inspector.send_form(f"{BASE}/new?period=2026Q3&line=T1", kind="query", text="x")
    assert answer.status_code == 500
    assert reached
    assert await fetch_tuples(None, "select name from school where code = 'S001'") != [("x",)]


async def test_the_evidence_pack_holds_what_its_manifest_says(
    visit: Visit, county: Cast, clock: FixedClock
) -> None:
    later = close_at(Q3)
    assert await seal(county.school, Q3, later)
    inspector = await visit("inspector")
    pack = await pack_of(county["inspector"], county.school, "S001", Q3, Path("nowhere"), clock.now())
    answer = await inspector.get("/inspect/schools/S001/returns/2026Q3/pack")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert {item["name"] for item in manifest["files"]} == set(archive.namelist()) - {"manifest.json"}
        for item in manifest["files"]:
            content = archive.read(item["name"])
            assert len(content) == item["size"]
            assert hashlib.sha256(content).hexdigest() == item["sha256"]
        listed = archive.read("SHA256SUMS").decode().splitlines()
        assert [line[66:] for line in listed] == archive.namelist()[1:-1]
        document = archive.read("return-v1/return.json")
        seal_told = json.loads(archive.read("return-v1/seal.json"))
        assert hashlib.sha256(document).hexdigest() == seal_told["document_digest"]
        entries = list(
            csv.reader(io.StringIO(archive.read("entries/class_sessions.csv").decode("utf-8-sig")))
        )
        assert "entries/incidents-events.csv" in archive.namelist()
        trail = list(csv.reader(io.StringIO(archive.read("trail.csv").decode("utf-8-sig"))))
    facts = {
        fact["id"] for fact in json.loads(document)["facts"] if fact["line"].startswith("education.weekly")
    }
    assert facts <= {line[0] for line in entries[1:]}
    assert trail[1][0] == "1"
    assert trail[1][1].endswith("+00:00")
    assert re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d(:[\d.]+)?", entries[1][entries[0].index("recorded_at")])
    assert pack.zip() == answer.content


def checked(folder: Path) -> int:
    """What `sha256sum` says of the files in a folder."""
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    return subprocess.run(check, cwd=folder, check=False, capture_output=True).returncode


async def test_a_pack_tells_a_person_what_it_is_and_common_tools_check_it(
    county: Cast, clock: FixedClock, tmp_path: Path
) -> None:
    assert await seal(county.school, Q3, close_at(Q3))
    pack = await pack_of(county["inspector"], county.school, "S001", Q3, tmp_path, clock.now())
    with zipfile.ZipFile(io.BytesIO(pack.zip())) as archive:
        archive.extractall(tmp_path / "pack")
        names = archive.namelist()
    told = (tmp_path / "pack" / "说明.txt").read_text(encoding="utf-8-sig")
    for said in (
        "青山县实验学校（S001）2026Q3",
        "第1版",
        "2026年10月14日10:00",
        "sha256sum -c",
        "certutil",
        "Withheld",
    ):
        assert said.lower() in told.lower(), said
    for name in set(names) - {"说明.txt"}:
        assert told.count(f"  {name}  ") == 2, name
    assert told.index("一、文件") < told.index("1. Files")
    assert checked(tmp_path / "pack") == 0
    (tmp_path / "pack" / "notes.json").write_text("{}")
    assert checked(tmp_path / "pack") == 1


async def test_there_is_no_pack_before_the_close(visit: Visit, county: Cast) -> None:
    inspector = await visit("inspector")
    assert (await inspector.get("/inspect/schools/S001/returns/2026Q3/pack")).status_code == 404
    assert (await (await visit("outsider")).get("/inspect/schools/S001/returns/2026Q3/pack")).status_code in {
        403,
        404,
    }
