"""What is known of received returns when a clerk decides on them, gathered for a whole inbox at once.

A return of another instance is known by its file alone.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from reports.document import ReturnDocument, parse
from reports.life.rules import FAIL, Known, Live, Veto, answered_by
from reports.oversight.queries import open_queries
from reports.queries import InboxLine, Received
from reports.remembered import UNREADABLE, Remembered
from reports.rollup.compile import hundredths
from reports.sealing.attached import received_return
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.scores import scores
from safety.scoring import Score
from safety.web.score_view import totals_of

log = logging.getLogger(__name__)

TOTALS = "select school, total from school_return where period = $1 order by version"
DOCUMENT = """select r.document from school_return r join school s on s.id = r.school
where s.code = $1 and r.period = $2 and r.version = $3"""
KEPT = 65536
"""Of how many returns it is kept in memory what they say: digests, and a few words each."""


async def gather(
    lines: Sequence[InboxLine],
    outcomes: Mapping[tuple[str, int], str],
    period: Period,
    now: datetime,
    data: Path | None,
) -> dict[int, Known]:
    """What the remarks on received returns go by, by school. `outcomes`: the decisions that hold, by code and version;
    `data`: the folder in which files are kept.
    """
    came = [line.school_id for line in lines]
    live = await scores(came, period, now) if came else {}
    asked = await open_queries(came)
    before = dict(await fetch_tuples(None, TOTALS, [period.previous().id]))
    decided: dict[str, dict[int, str]] = {}
    for (code, version), outcome in outcomes.items():
        decided.setdefault(code, {})[version] = outcome
    return {
        line.school_id: await _known(
            item,
            period,
            data,
            live=_live(live[line.school_id]) if item.status else None,
            before=before.get(line.school_id),
            queries=asked[line.school_id],
            answers=answered_by(item.version, decided.get(item.school_code, {})),
        )
        for line in lines
        if (item := line.item) is not None
    }


def _live(score: Score) -> Live:
    return Live(score.total, totals_of(score).backfilled)


class _Score(msgspec.Struct):
    total: str | None = None
    grade: str | None = None
    veto: tuple[Veto, ...] = ()


class _Said(msgspec.Struct):
    """As much of a return as an inbox asks for; the rest is skipped over."""

    unchanged: bool = False
    closed_late: bool = False
    score: _Score = msgspec.field(default_factory=_Score)


SAID = Remembered[_Said](KEPT)


async def _known(item: Received, period: Period, data: Path | None, **beside: Any) -> Known:
    """What a return says of itself, with what is known `beside` it. The columns hold neither a veto's cause nor whether
    a later version changes anything, and nothing of a return of another instance.
    """
    elsewhere = item.status is None
    silent = not elsewhere and item.version == 1 and item.grade != FAIL
    said = _Said() if silent else await _said(item, period, data)
    total = hundredths(said.score.total) if said.score.total else None
    return Known(
        period=period.id,
        version=item.version,
        status=item.status,
        closed_late=said.closed_late if elsewhere else bool(item.closed_late),
        total=total if elsewhere else item.total,
        grade=said.score.grade if elsewhere else item.grade,
        veto=next(iter(said.score.veto), None),
        unchanged=item.version > 1 and said.unchanged,
        **beside,
    )


async def _said(item: Received, period: Period, data: Path | None) -> _Said:
    """What a return says of itself; nothing where that cannot be read."""

    async def read() -> _Said:
        text = await _text(item, period, data)
        return _Said() if text is None else msgspec.json.decode(text, type=_Said)

    return await SAID.of(data, item.bytes_digest, read) or _Said()


async def _text(item: Received, period: Period, data: Path | None) -> bytes | None:
    rows = await fetch_tuples(None, DOCUMENT, [item.school_code, period.id, item.version])
    if rows:
        return str(rows[0][0]).encode()
    return await asyncio.to_thread(received_return, data, item.bytes_digest) if data else None


async def document_of(item: Received, period: Period, data: Path) -> ReturnDocument | None:
    """The frozen document of a received return; None where its file cannot be read here: it is gone, was altered, or a
    newer program wrote it.
    """
    try:
        text = await _text(item, period, data)
        return None if text is None else parse(text)
    except UNREADABLE:
        log.exception("the file of receipt %s cannot be read", item.id)
        return None
