"""Returns of schools that keep their records on another instance, as their files say: each file is read once."""

import asyncio
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from reports import figures
from reports.figures import Figures
from reports.remembered import Remembered
from reports.rollup.compile import hundredths
from reports.sealing.attached import received_return
from safety.calendar import Period
from safety.database import fetch_tuples

NEWEST = """select i.school_code, i.version, i.bytes_digest, i.received_at from inbox_item i
where i.period = $1 and not exists (select 1 from school_return r join school s on s.id = r.school
where s.code = i.school_code and r.period = i.period) order by i.version"""
KEPT = 4096
"""How many files' figures are kept in memory; they are a few hundred bytes each."""


class _Return(figures.Document):
    """With what is read here beside its figures."""

    closed_late: bool = False
    sign_off: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Said:
    """What a received file says. `total` in hundredths."""

    total: int | None
    signed: bool
    closed_late: bool
    figures: Figures


SAID = Remembered[Said](KEPT)


@dataclass(frozen=True, slots=True)
class Received:
    """The newest version that came of a school."""

    version: int
    received_at: datetime
    said: Said


async def received_elsewhere(data: Path, period: Period, codes: Container[str]) -> dict[str, Received]:
    """Of these schools, by code. `data`: the folder in which files are kept; one that cannot be read is left out."""
    rows = await fetch_tuples(None, NEWEST, [period.id])
    newest = {code: rest for code, *rest in rows if code in codes}
    found = {}
    for code, (version, digest, received_at) in newest.items():
        said = await SAID.of(data, digest, partial(asyncio.to_thread, _read, data, digest))
        if said is not None:
            found[code] = Received(version, received_at, said)
    return found


def _read(data: Path, digest: str) -> Said:
    found = msgspec.json.decode(received_return(data, digest), type=_Return)
    total = None if found.score.total is None else hundredths(found.score.total)
    return Said(total, bytes(found.sign_off) != b"null", found.closed_late, figures.of(found))
