"""A school's instance and its bureau's, both killed again and again while a decision, a correction and another decision
travel: each arrives, once.
"""

import asyncio
import json
import random
import shutil
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from config.rules import put_in_use
from reports.life import actions as life
from reports.life import standing
from reports.life.decisions import Ruling, decide
from reports.sealing.keys import pem
from safety.access.actions import NewPerson, NewRole, create_accounts
from safety.access.queries import scope_of_login
from safety.access.scope import Scope
from safety.database import fetch_tuples
from safety.places.tables import Bureau, School, Term
from tests.conftest import opened
from tests.faults.federation import CLOSE, Q3, Instance, SharedClock

BEGAN = CLOSE - timedelta(days=30)
BACK = Ruling("returned", "请说明九月没有记录的原因。", {"education.weekly": "没有记录"})
ARRIVED = "select version from inbox_item order by version"
TOLD = """select r.version, d.outcome, d.reasons, d.lines from told_decision d
join school_return r on r.id = d.sealed order by d.decided_at"""
MADE = """select i.version, d.outcome, d.reasons, d.lines from return_decision d
join inbox_item i on i.id = d.item order by d.decided_at"""
ENTERED = """select action from audit_line where action in ('return.returned', 'return.accepted')
order by chain, position"""


@dataclass
class Pair:
    """The school's instance, its bureau's, and the clock of both."""

    school: Instance
    bureau: Instance
    clock: SharedClock

    async def enrol(self) -> None:
        """Each knows the other's certificate, and the school has its token."""
        file = self.bureau.data / "S001.pem"
        file.write_bytes(pem(self.school.key.certificate))
        token = await self.bureau.command("peer", "add", "S001", "--certificate", str(file))
        self.school.settings |= {
            "SAFE_CAMPUS_UPSTREAM_URL": self.bureau.address,
            "SAFE_CAMPUS_UPSTREAM_TOKEN": token.strip(),
            "SAFE_CAMPUS_UPSTREAM_CERTIFICATE": pem(self.bureau.key.certificate).decode(),
        }

    async def kills(self, times: int, moments: random.Random) -> None:
        """Both are killed, each at moments of its own, and start again."""

        async def kill(instance: Instance) -> None:
            for _ in range(times):
                await asyncio.sleep(moments.uniform(0, 8))
                await instance.kill()

        await asyncio.gather(kill(self.school), kill(self.bureau))

    async def rule(self, ruling: Ruling, key: str) -> None:
        async with opened(self.bureau.url):
            newest = await fetch_tuples(None, "select id from inbox_item order by version desc limit 1")
            now = self.clock.now()
            await decide(await scope("clerk"), newest[0][0], ruling, now, key=key)

    async def correct(self) -> None:
        """The principal signs the version that answers what came back."""
        async with opened(self.school.url):
            principal, now = await scope("principal"), self.clock.now()
            (school,) = principal.school_codes.values()
            opened_ = await standing.correction_of((await standing.versions(principal, school, Q3))[0])
            assert opened_ is not None
            assert opened_.asked is not None
            draft = await life.next_draft(principal, school, Q3, opened_, now, test_clock=True)
            await life.make_version(
                principal, school, Q3, draft.facts_digest, "九月系统尚未启用", now,
                key="version-02", knows_unchanged=True, test_clock=True,
            )  # fmt: skip


async def scope(login: str) -> Scope:
    found = await scope_of_login(login, BEGAN)
    assert found is not None
    return found


async def fill(url: str, person: str, *, elsewhere: bool) -> None:
    """A bureau, its one school, and the clerk or the principal."""
    put_in_use()
    async with opened(url):
        bureau = Bureau(code="HILL", name="青山县教育局", parent=None, elsewhere=elsewhere)
        await bureau.save()
        school = School(
            code="S001", name="青山县实验学校", stage="primary", enrolment=90, bureau=int(bureau.id)
        )
        await school.save()
        term = Term(school=int(school.id), name="第一学期", starts=date(2026, 9, 1), ends=date(2027, 1, 22))
        await term.save()
        role = NewRole(person, school=int(school.id)) if elsewhere else NewRole(person, bureau=int(bureau.id))
        await create_accounts(None, [NewPerson(person, "陈校明", (role,), one_time=False)], BEGAN)


async def make_pair(school_url: str, sqlite_template: Path, folder: Path) -> Pair:
    bureau_url = f"sqlite:///{shutil.copyfile(sqlite_template, folder / 'bureau.db')}"
    await fill(school_url, "principal", elsewhere=True)
    await fill(bureau_url, "clerk", elsewhere=False)
    clock = SharedClock(folder / "clock", CLOSE - timedelta(minutes=1))
    made = []
    for code, url in (("S001", school_url), ("HILL", bureau_url)):
        (folder / code).mkdir()
        made.append(Instance(code, url, folder / code, clock.file))
    return Pair(*made, clock)


@pytest.fixture
async def pair(database_url: str, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Pair]:
    pair = await make_pair(database_url, sqlite_template, tmp_path)
    with ExitStack() as stack:
        for instance in (pair.school, pair.bureau):
            stack.callback(instance.end)
        await pair.enrol()
        yield pair


async def live(pair: Pair, times: int, moments: random.Random) -> None:
    """Returned, corrected, accepted; `times`: how often each is killed while each of the three travels."""
    async with pair.clock.running():
        for instance in (pair.school, pair.bureau):
            instance.serve()
            await instance.ready()
        pair.clock.jump(CLOSE)
        pair.clock.speed = 30
        await pair.bureau.until(ARRIVED, [(1,)])
        await pair.rule(BACK, "ruling-0001")
        await pair.kills(times, moments)
        await pair.school.until("select outcome from told_decision", [("returned",)])
        await pair.correct()
        await pair.kills(times, moments)
        await pair.bureau.until(ARRIVED, [(1,), (2,)])
        await pair.rule(Ruling("accepted"), "ruling-0002")
        await pair.kills(times, moments)
        await pair.school.until("select count(*) from told_decision", [(2,)])
        await asyncio.gather(pair.school.ready(), pair.bureau.ready())
        for instance in (pair.school, pair.bureau):
            await instance.stop()


async def ends_well(pair: Pair) -> None:
    assert await pair.school.ask(TOLD) == await pair.bureau.ask(MADE)
    for instance in (pair.school, pair.bureau):
        assert await instance.ask(ENTERED) == [("return.returned",), ("return.accepted",)], instance.code
        assert json.loads(await instance.command("audit", "verify", "--json"))["good"]
    async with opened(pair.school.url):
        principal = await scope("principal")
        (school,) = principal.school_codes.values()
        versions = await standing.versions(principal, school, Q3)
        assert [version.state for version in versions] == ["accepted", "returned"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_both_are_killed_once_at_each_step(pair: Pair) -> None:
    await live(pair, 1, random.Random(7))
    await ends_well(pair)


@pytest.mark.soak
async def test_both_are_killed_again_and_again(pair: Pair) -> None:
    seed = random.randrange(10**9)
    print(f"moments of seed {seed}")
    await live(pair, 5, random.Random(seed))
    await ends_well(pair)
