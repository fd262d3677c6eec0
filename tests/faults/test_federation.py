"""Two counties and a city live through the end of a quarter; then again with everything going wrong that can."""

import asyncio
import hashlib
import json
import random
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reports.delivery import receipts, signed
from tests.conftest import Templates
from tests.delivery import test_mail as mail
from tests.delivery import test_sftp as sftp
from tests.faults.federation import (
    CITY_SEALS,
    CLOSE,
    COUNTIES_SEAL,
    SCHOOLS,
    Books,
    Federation,
    Instance,
    ending,
    fill_city,
    fill_county,
)

pytestmark = pytest.mark.soak

ARRIVED = "select count(*) from inbox_item"
GONE_UP = "select state from outbox where kind = 'rollup'"
RETURNS = "select school_code, period, version, facts_digest from inbox_item order by 1, 2, 3"
SEALED_RETURNS = """select s.code, r.period, r.version, r.facts_digest from school_return r
join school s on s.id = r.school order by 1, 2, 3"""
ROLLUPS = """select b.code, r.period, r.version, r.facts_digest from rollup r join bureau b on b.id = r.bureau
order by 1, 2, 3"""
RECEIVED = "select sender, period, version, facts_digest from received_rollup order by 1, 2, 3"
OUTBOX = """select o.kind, o.state, c.way, c.answer, c.bytes_digest, o.message from outbox o
left join receipt c on c.message = o.message order by o.message"""
FILES = "select bytes_digest from sealed_file union all select bytes_digest from rollup_file"
GIVEN = "select message, receipt, bytes_digest from received_delivery"
SIGNED = {"inbox": "return", "https": "rollup"}
"""The ways whose receiver signs its receipt, and what goes by each here."""


@pytest.fixture(scope="module")
async def books(
    sqlite_template: Path, postgres_template: Templates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Books]:
    folder = tmp_path_factory.mktemp("books")
    for name in ("hill", "city"):
        shutil.copyfile(sqlite_template, folder / f"{name}.db")
    async with postgres_template.fresh() as river:
        await fill_county(f"sqlite:///{folder}/hill.db", "HILL", "青山县教育局")
        await fill_county(river, "RIVER", "清江县教育局")
        await fill_city(f"sqlite:///{folder}/city.db")
        yield Books(folder / "hill.db", river.partition("@/")[2].partition("?")[0], folder / "city.db")


# ---------------------------------------------------------------- what it comes to
@dataclass(frozen=True)
class EndState:
    """What there is at the end, by code: (whose, quarter, version, facts digest) of every return; what the one roll-up
    says.
    """

    returns: dict[str, list[tuple[object, ...]]]
    rollups: dict[str, object]


async def end_state(federation: Federation) -> EndState:
    """What all three have in the end; every message answered, every receipt genuine, every file whole."""
    await check_messages(federation)
    for instance in federation.all:
        await check_files(instance)
    returns = {county.code: await county.ask(RETURNS) for county in federation.counties}
    for county in federation.counties:
        assert returns[county.code] == await county.ask(SEALED_RETURNS)
        assert [(code, version) for code, _, version, _ in returns[county.code]] == [
            (f"{county.code[0]}{number:03}", 1) for number in range(1, SCHOOLS + 1)
        ]
    sealed = {instance.code: await instance.ask(ROLLUPS) for instance in federation.all}
    assert [(code, len(made)) for code, made in sealed.items()] == [("HILL", 1), ("RIVER", 1), ("CITY", 1)]
    assert await federation.city.ask(RECEIVED) == [*sealed["HILL"], *sealed["RIVER"]]
    return EndState(returns, {instance.code: told(await rollup_of(instance)) for instance in federation.all})


async def rollup_of(instance: Instance) -> dict[str, Any]:
    ((text,),) = await instance.ask("select document from rollup")
    document: dict[str, Any] = json.loads(str(text))
    return document


def told(rollup: dict[str, Any]) -> dict[str, Any]:
    """What a roll-up says, but not when it was made, nor which documents, each with its time, it was made of."""
    dated = {"made_at", "document_digest", "facts_digest"}
    members = [{name: member[name] for name in member.keys() - dated} for member in rollup["members"]]
    schools = [
        {name: school[name] for name in school.keys() - {"document_digest"}} for school in rollup["schools"]
    ]
    rest = {name: rollup[name] for name in rollup.keys() - dated}
    return rest | {"members": members, "schools": schools}


async def check_messages(federation: Federation) -> None:
    """Each message was delivered and received once; both sides keep the same receipt, signed by the receiver."""
    given: dict[object, tuple[object, ...]] = {}
    for instance in federation.all:
        given |= {row[0]: row[1:] for row in await instance.ask(GIVEN)}
    for instance in federation.all:
        posted = await instance.ask(OUTBOX)
        returns = 0 if instance is federation.city else SCHOOLS
        assert sorted(row[0] for row in posted) == ["return"] * returns + ["rollup"], instance.code
        for kind, state, way, answer, digest, message in posted:
            assert state == "delivered", (instance.code, kind, state, instance.log())
            if way in SIGNED:
                assert given.pop(message) == (answer, digest)
                receiver = instance if way == "inbox" else federation.city
                body = signed.check(str(answer).encode(), receipts.Body, receiver.key.certificate)
                said = (body.message, body.kind, body.bytes_digest, body.receiver)
                assert said == (message, SIGNED[str(way)], digest, receiver.code)
    assert given == {}


async def check_files(instance: Instance) -> None:
    for (digest,) in await instance.ask(FILES):
        content = instance.file(str(digest)).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest


async def check_trails(federation: Federation) -> None:
    for instance in federation.all:
        assert json.loads(await instance.command("audit", "verify", "--json"))["good"]


async def check_genuine(federation: Federation) -> None:
    """Some returns at their county, and every roll-up at the city, which trusts whom it has enrolled."""
    kept = [
        (county, file)
        for county in federation.counties
        for file in await county.ask("select bytes_digest from inbox_item where school_code like '%05'")
    ]
    sent = "select bytes_digest from received_rollup union all select bytes_digest from rollup_file"
    kept += [(federation.city, file) for file in await federation.city.ask(sent)]
    assert len(kept) == 2 + 3
    for instance, (digest,) in kept:
        said = await instance.command("return", "verify", str(instance.file(str(digest))), "--json")
        assert json.loads(said)["genuine"]


async def check_city(city: Instance) -> None:
    """The city's own roll-up holds both counties as they sent theirs."""
    document = await rollup_of(city)
    assert [
        (m["code"], m["source"], m["figures"]["returned"] + m["figures"]["unsigned"])
        for m in document["members"]
    ] == [
        ("HILL", "received", SCHOOLS),
        ("RIVER", "received", SCHOOLS),
    ]


# ---------------------------------------------------------------- undisturbed
def province(federation: Federation) -> Path:
    """Where the level above the city looks."""
    return federation.city.data / "province"


async def live_undisturbed(federation: Federation) -> None:
    clock = federation.clock
    async with clock.running():
        await federation.start()
        clock.jump(CLOSE)
        await federation.counties_until(ARRIVED, [(SCHOOLS,)])
        clock.jump(COUNTIES_SEAL)
        await federation.counties_until(GONE_UP, [("delivered",)])
        clock.jump(CITY_SEALS)
        await federation.city.until(GONE_UP, [("delivered",)])
        await federation.stop()


@pytest.fixture(scope="module")
async def undisturbed(
    books: Books, postgres_template: Templates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Federation]:
    """The three after a quarter in which nothing went wrong; the city's roll-up goes into a folder."""
    folder = tmp_path_factory.mktemp("undisturbed")
    async with postgres_template.fresh(books.river) as river:
        with ending(books.federation(river, folder)) as federation:
            province(federation).mkdir()
            federation.city.settings["SAFE_CAMPUS_UPSTREAM_URL"] = f"file://{province(federation)}"
            await federation.enrol()
            await live_undisturbed(federation)
            yield federation


async def test_a_quarter_ends_and_everything_arrives(undisturbed: Federation) -> None:
    await end_state(undisturbed)
    await check_city(undisturbed.city)
    await check_trails(undisturbed)
    await check_genuine(undisturbed)
    ((digest,),) = await undisturbed.city.ask("select bytes_digest from rollup_file")
    (file,) = province(undisturbed).iterdir()
    assert hashlib.sha256(file.read_bytes()).hexdigest() == digest


# ---------------------------------------------------------------- disturbed
OPERATOR = "ops@county.example"


class SlowDisk(sftp.Plain):
    """Takes its time for each block, and takes it."""

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        await asyncio.sleep(0.5)
        return int(super().write(file_obj, offset, data))


async def live_disturbed(federation: Federation, post: mail.Office, moments: random.Random) -> None:
    clock, city = federation.clock, federation.city

    async def kills(*instances: Instance, within: float) -> None:
        """Each one killed after a time of its own."""

        async def kill(instance: Instance) -> None:
            await asyncio.sleep(moments.uniform(0, within))
            await instance.kill()

        await asyncio.gather(*(kill(instance) for instance in instances))

    async def kills_again(*instances: Instance, within: float, times: int) -> None:
        for _ in range(times):
            await kills(*instances, within=within)

    async with clock.running():
        await federation.start()
        clock.jump(CLOSE)
        await asyncio.gather(
            kills_again(*federation.counties, within=12, times=3), kills_again(city, within=20, times=1)
        )
        await federation.counties_until(ARRIVED, [(SCHOOLS,)])
        await city.ready()
        await city.stop()
        clock.jump(COUNTIES_SEAL)
        await federation.counties_until("select count(*) > 0 from failed_attempt", [(True,)])
        clock.jump(COUNTIES_SEAL + timedelta(days=1))
        await federation.counties_until("select count(*) from outbox where alerted_at is not null", [(1,)])
        # From here on the time between attempts would be long, and nothing needs the clock to go slowly.
        clock.speed = 30
        city.serve()
        await asyncio.gather(kills_again(*federation.counties, city, within=6, times=2))
        await federation.counties_until(GONE_UP, [("delivered",)])
        clock.jump(CITY_SEALS)
        await kills_again(city, within=6, times=2)
        await city.until(GONE_UP, [("delivered",)])
        await asyncio.gather(*(instance.ready() for instance in federation.all))
        await federation.stop()
    assert [instance.kills for instance in federation.all] == [5, 5, 5]
    assert sorted(str(letter["To"]) for letter in post.mails if letter["To"] == OPERATOR) == [OPERATOR] * 2


@pytest.fixture
async def disturbed(
    books: Books, postgres_template: Templates, tmp_path: Path
) -> AsyncIterator[tuple[Federation, mail.Office]]:
    """The three before the quarter's end; each county's operator has an address at a mail server that refuses first."""
    post = mail.Office(["451 4.3.0 later", "421 4.3.2 going down", "452 4.3.1 full"])
    async with mail.listening(post), postgres_template.fresh(books.river) as river:
        with ending(books.federation(river, tmp_path)) as federation:
            await federation.enrol()
            for county in federation.counties:
                county.settings["SAFE_CAMPUS_SMTP_URL"] = f"smtp://127.0.0.1:{post.port}?from={mail.FROM}"
                county.settings["SAFE_CAMPUS_OPERATOR_MAIL"] = OPERATOR
            yield federation, post


async def same_end(federation: Federation, undisturbed: Federation) -> bytes:
    """It ends as if nothing had happened; returns the city's roll-up, as it went up."""
    assert await end_state(federation) == await end_state(undisturbed)
    await check_city(federation.city)
    await check_trails(federation)
    await check_genuine(federation)
    ((digest,),) = await federation.city.ask("select bytes_digest from rollup_file")
    return federation.city.file(str(digest)).read_bytes()


def seeded() -> random.Random:
    seed = random.randrange(10**9)
    print(f"moments of seed {seed}")
    return random.Random(seed)


async def test_the_same_end_though_all_are_killed_the_city_is_down_and_mail_is_refused(
    undisturbed: Federation, disturbed: tuple[Federation, mail.Office]
) -> None:
    federation, post = disturbed
    above = mail.Office(["451 4.3.0 later"] * 3)
    async with mail.listening(above):
        url = f"smtp://127.0.0.1:{above.port}?from={mail.FROM}&to={mail.TO}"
        federation.city.settings["SAFE_CAMPUS_UPSTREAM_URL"] = url
        await live_disturbed(federation, post, seeded())
    content = await same_end(federation, undisturbed)
    # Mail knows no message twice: what was taken and not noted is sent again, under the same number.
    assert len({letter["Message-ID"] for letter in above.mails}) == 1
    assert all(next(letter.iter_attachments()).get_content() == content for letter in above.mails)


async def test_the_same_end_though_all_are_killed_the_city_is_down_and_sftp_is_slow(
    undisturbed: Federation, disturbed: tuple[Federation, mail.Office], tmp_path: Path
) -> None:
    federation, post = disturbed
    (tmp_path / "root" / "in").mkdir(parents=True)
    async with sftp.listening(tmp_path / "root", SlowDisk) as port:
        federation.city.settings |= {
            "SAFE_CAMPUS_UPSTREAM_URL": f"sftp://hill@127.0.0.1:{port}/in",
            "SAFE_CAMPUS_UPSTREAM_TOKEN": sftp.PASSWORD,
            "SAFE_CAMPUS_UPSTREAM_HOST_KEY": sftp.line(sftp.HOST),
        }
        await live_disturbed(federation, post, seeded())
    content = await same_end(federation, undisturbed)
    assert sftp.there(tmp_path / "root") == ["rollup-CITY-2026Q3-v1.pdf"]
    assert (tmp_path / "root" / "in" / "rollup-CITY-2026Q3-v1.pdf").read_bytes() == content
