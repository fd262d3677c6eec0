"""`safe-campus rollup` as a process of its own: a draft before the sealing, the sealed file after it."""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config.rules import put_in_use
from reports.actions import seal
from reports.delivery.actions import deliver_waiting
from reports.pdf import Renderer
from reports.press import Press
from reports.rollup.actions import seal_due
from safety.calendar import Period
from safety.duties import close_at
from safety.jobs.owner import me
from tests.cast import make_cast
from tests.conftest import opened
from tests.county import make_county

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
THIRD = CLOSE + timedelta(days=2, hours=8)


class QuickRenderer(Renderer):
    async def render(self, job) -> bytes:
        return b"%PDF " + job.document.facts_digest.encode()


class Machine:
    """One installation, and the command run on it at an instant."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder, self.clock = url, folder, folder / "clock"
        self.environ = os.environ | {
            "SAFE_CAMPUS_DATABASE": url,
            "SAFE_CAMPUS_DATA": str(folder),
            "SAFE_CAMPUS_TEST_CLOCK": str(self.clock),
        }

    def run(self, at: datetime, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.clock.write_text(at.isoformat())
        program = [sys.executable, "-c", "from config.cli import main; main()", "--lang", "en", "rollup"]
        return subprocess.run(
            [*program, *arguments], env=self.environ, capture_output=True, text=True, check=False
        )


@pytest.fixture
async def machine(database_url: str, tmp_path: Path) -> Machine:
    put_in_use()
    async with opened(database_url):
        cast = await make_cast(CLOSE - timedelta(days=40))
        await make_county(cast, CLOSE)
        await seal(cast.school, Q3, CLOSE)
        await deliver_waiting(Press(tmp_path, QuickRenderer(tmp_path), me()), CLOSE, everything=True)
    return Machine(database_url, tmp_path)


def words(file: Path) -> str:
    done = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True)
    return "".join(done.stdout.decode().split())


async def test_a_draft_before_the_sealing_and_the_sealed_file_after_it(machine: Machine) -> None:
    file = machine.folder / "roll.pdf"
    draft = machine.run(CLOSE, "HILL", "2026Q3", "-o", str(file), "--json")
    assert draft.returncode == 0, draft.stderr
    assert json.loads(draft.stdout)["draft"] is True
    assert "草稿" in words(file)
    async with opened(machine.url):
        await seal_due(machine.folder, THIRD)
    kept = []
    for name in ("one.pdf", "two.pdf"):
        sealed = machine.run(THIRD, "HILL", "2026Q3", "-o", str(machine.folder / name), "--json")
        assert sealed.returncode == 0, sealed.stderr
        kept.append(((machine.folder / name).read_bytes(), json.loads(sealed.stdout)))
    assert kept[0][0] == kept[1][0]
    assert (kept[0][1]["draft"], kept[0][1]["version"]) == (False, 1)
    assert kept[0][1]["signing"] == {"unsigned": 1, "missing": 1}
    text = words(machine.folder / "one.pdf")
    assert "草稿" not in text
    assert kept[0][1]["facts_digest"] in text


async def test_what_cannot_be_is_refused_with_its_place(machine: Machine) -> None:
    file = str(machine.folder / "roll.pdf")
    for arguments, said in (
        (("NOWHERE", "2026Q3", "-o", file), "BUREAU: nothing has the code NOWHERE"),
        (("HILL", "2026Q9", "-o", file), "PERIOD: "),
        (("HILL", "2026Q4", "-o", file), "2026Q4 has not closed yet"),
        (("HILL", "2026Q3", "-o", str(machine.folder / "no" / "x.pdf")), "-o: "),
    ):
        outcome = machine.run(CLOSE, *arguments)
        assert outcome.returncode == 1, arguments
        assert said in outcome.stderr, outcome.stderr
    assert machine.run(CLOSE, "HILL", "2026Q3").returncode == 2
