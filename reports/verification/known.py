"""What this instance knows of a return that somebody holds in their hands: nothing but whether it is the newest."""

from __future__ import annotations

from dataclasses import dataclass

from safety.database import fetch_tuples

BY_DIGEST = """select s.code, s.name, r.period, r.version from school_return r join school s on s.id = r.school
where r.facts_digest = $1
union select i.school_code, coalesce(s.name, ''), i.period, i.version from inbox_item i
left join school s on s.code = i.school_code where i.facts_digest = $1
order by 1, 3, 4"""
NEWEST = """select max(version) from (
select r.version from school_return r join school s on s.id = r.school where s.code = $1 and r.period = $2
union all select version from inbox_item where school_code = $1 and period = $2) found"""
RECEIVED = """select count(*) from inbox_item
where school_code = $1 and period = $2 and version = $3"""

ROLLUPS = """select version, facts_digest from (
select b.code, r.period, r.version, r.facts_digest from rollup r join bureau b on b.id = r.bureau
union all select sender, period, version, facts_digest from received_rollup) found
where code = $1 and period = $2 order by version"""


@dataclass(frozen=True, slots=True)
class KnownReturn:
    """A version of a return that this instance made or received. `newest`: the highest version it knows of."""

    school_code: str
    school_name: str
    period: str
    version: int
    newest: int
    received: bool

    @property
    def superseded(self) -> bool:
        """A newer version exists."""
        return self.newest > self.version


async def by_digest(facts_digest: str) -> list[KnownReturn]:
    """The returns whose facts digest this is: one, but for schools that had nothing to tell them apart."""
    rows = await fetch_tuples(None, BY_DIGEST, [facts_digest])
    return [await _known(*row) for row in rows]


async def of(school_code: str, period: str, version: int, facts_digest: str) -> KnownReturn | None:
    """That very version, if it is known here with those facts."""
    found = await by_digest(facts_digest)
    wanted = (school_code, period, version)
    return next((one for one in found if (one.school_code, one.period, one.version) == wanted), None)


async def rollup(code: str, period: str, version: int, facts_digest: str) -> KnownReturn | None:
    """The same of a bureau's roll-up."""
    found = [(number, digest) for number, digest in await fetch_tuples(None, ROLLUPS, [code, period])]
    if (version, facts_digest) not in found:
        return None
    return KnownReturn(code, "", period, version, found[-1][0], True)


async def newest(school_code: str, period: str) -> int | None:
    """The highest version of a school's quarter that is known here; None: nothing is."""
    rows = await fetch_tuples(None, NEWEST, [school_code, period])
    return int(rows[0][0]) if rows[0][0] is not None else None


async def _known(code: str, name: str, period: str, version: int) -> KnownReturn:
    received = await fetch_tuples(None, RECEIVED, [code, period, version])
    return KnownReturn(
        code, name, period, version, await newest(code, period) or version, bool(received[0][0])
    )
