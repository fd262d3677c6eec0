"""Processes that measure schools from their entries: the work of one processor, done by several.

Each has the product's rules in use and a connection of its own that cannot write, and takes a part of the schools at a
time. Python computes on one core only, so a county's recompute takes as many processes as the machine has cores.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from safety.calendar import Period

Document = dict[str, Any]

PART = 20
"""How many schools a process takes at a time."""
CORES = 2
"""What the product is planned for; more are not used, so that a county's recompute leaves a server its own."""


class Crew:
    """A few processes on one database. `with` ends them."""

    def __init__(self, url: str, size: int | None = None) -> None:
        """`url` names the database; `size` is how many processes, by default one for each of at most two cores."""
        self.size = size or min(CORES, os.cpu_count() or 1)
        # Spawned: a fork would copy locks and connections that threads of this process are using.
        self._pool = ProcessPoolExecutor(self.size, get_context("spawn"), _start, (url,))

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    async def __aenter__(self) -> Crew:
        return self

    async def __aexit__(self, *error: object) -> None:
        """What else runs in this process goes on while the last parts are finished."""
        await asyncio.to_thread(self.__exit__)

    async def scores(self, school_ids: Sequence[int], period: Period, now: datetime) -> dict[int, Document]:
        """Every school's score from its entries, as `as_json` writes it. BrokenProcessPool if a process died."""
        loop = asyncio.get_running_loop()
        parts = [loop.run_in_executor(self._pool, _scores, part, period, now) for part in _parts(school_ids)]
        found: dict[int, Document] = {}
        for part in await asyncio.gather(*parts):
            found |= msgspec.msgpack.decode(part, type=dict[int, Document])
        return found

    async def differing(self, school_ids: Sequence[int], period: Period, now: datetime) -> list[int]:
        """Those schools whose tallies are not what their entries come to. BrokenProcessPool if a process died."""
        loop = asyncio.get_running_loop()
        parts = [
            loop.run_in_executor(self._pool, _differing, part, period, now) for part in _parts(school_ids)
        ]
        return [school for part in await asyncio.gather(*parts) for school in part]


async def differing_by_crew(
    url: str, school_ids: Sequence[int], period: Period, now: datetime
) -> Sequence[int]:
    """Find them by a crew of its own; few schools are not worth its processes."""
    from safety.ledger.jobs import one_by_one

    if len(school_ids) <= PART:
        return await one_by_one(school_ids, period, now)
    async with Crew(url) as crew:
        return await crew.differing(school_ids, period, now)


def _parts(school_ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (school_ids[start : start + PART] for start in range(0, len(school_ids), PART))


# ---------------------------------------------------------------- in the processes
_HOME = asyncio.Runner()
"""The one event loop of a process of the crew, in which its connection lives."""


def _start(url: str) -> None:
    from config.rules import put_in_use
    from safety.database import engine_from_url, open_engine, use_engine

    os.environ.setdefault("PICCOLO_CONF", "config.piccolo_conf")
    put_in_use()
    use_engine(engine_from_url(url, read_only=True))
    _HOME.run(open_engine())


def _scores(school_ids: Sequence[int], period: Period, now: datetime) -> bytes:
    from safety.scores import recomputed_scores
    from safety.scoring import as_json

    found = _HOME.run(recomputed_scores(school_ids, period, now))
    return msgspec.msgpack.encode({school: as_json(score) for school, score in found.items()})


def _differing(school_ids: Sequence[int], period: Period, now: datetime) -> list[int]:
    from safety.ledger.jobs import differing

    return _HOME.run(differing(school_ids, period, now))
