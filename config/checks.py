"""The checks of `doctor`: each looks at one thing the service stands on. A new one is one function."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config.settings import Settings
from safety.clock import SystemClock

LEAST_FREE_BYTES = 1_000_000_000
EARLIEST_CREDIBLE = datetime(2026, 1, 1, tzinfo=UTC)
MOST_DRIFT = timedelta(minutes=5)


@dataclass(frozen=True)
class Finding:
    """What one check saw. `detail` is technical (a path, a size, an error) and the same in every language."""

    check: str
    good: bool
    detail: str


class Unwell(Exception):
    """Raised by a check that found something wrong; its text is the detail."""


# A check gets the settings and the present instant, returns a detail, and raises for anything wrong.
Check = Callable[[Settings, datetime], Awaitable[str]]


async def look(name: str, check: Check, settings: Settings, now: datetime) -> Finding:
    """Run one check. Whatever it raises is a finding: a doctor does not die of the illness."""
    try:
        return Finding(name, True, await check(settings, now))
    except Exception as error:  # noqa: BLE001
        detail = str(error) if isinstance(error, Unwell) else f"{type(error).__name__}: {error}"
        return Finding(name, False, detail)


async def clock(settings: Settings, now: datetime) -> str:
    """The clock is past the first release, and a test clock is pointed out."""
    if settings.test_clock:
        return f"{now.isoformat()} (测试 {settings.test_clock})"
    if now < EARLIEST_CREDIBLE or abs(SystemClock().now() - now) > MOST_DRIFT:
        raise Unwell(now.isoformat())
    return now.isoformat(timespec="seconds")


async def data_folder(settings: Settings, _now: datetime) -> str:
    """A file can be made, written through to the disk and removed."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=settings.data) as file:
        file.write(b"x")
        file.flush()
        os.fsync(file.fileno())
    return str(settings.data)


async def disk(settings: Settings, _now: datetime) -> str:
    """A gigabyte is free where the data are."""
    free = shutil.disk_usage(settings.data).free
    if free < LEAST_FREE_BYTES:
        raise Unwell(f"{size(free)} < {size(LEAST_FREE_BYTES)}")
    return size(free)


def size(count: int) -> str:
    """A number of bytes as people say it: 42.1 GB, 512 MB."""
    for unit, whole in (("TB", 10**12), ("GB", 10**9)):
        if count >= whole:
            return f"{count / whole:.1f} {unit}"
    return f"{count // 10**6} MB"


def drawing(code: str) -> Check:
    """The check of that code among those of the drawing of documents: a library, or the fonts."""

    async def check(settings: Settings, _now: datetime) -> str:
        from reports.drawing import fonts

        found = next(one for one in fonts.check(settings.data) if one.code == code)
        if not found.ok:
            raise Unwell(found.detail)
        return found.detail

    return check


async def database(_settings: Settings, _now: datetime) -> str:
    """The database answers, and its schema is not behind this program."""
    from safety.migrations import pending

    async with _open_database():
        waiting = await pending()
    if waiting:
        raise Unwell(f"safe-campus migrate: {len(waiting)}")
    return "ok"


async def tools(settings: Settings, _now: datetime) -> str:
    """PostgreSQL's own programs, which backup and restore run, are on the path; SQLite needs none."""
    if not settings.database_url.startswith("postgres"):
        return "-"
    missing = [tool for tool in ("pg_dump", "psql") if shutil.which(tool) is None]
    if missing:
        raise Unwell(f"{', '.join(missing)} (apt-get install postgresql-client)")
    return str(shutil.which("pg_dump"))


async def audit(settings: Settings, _now: datetime) -> str:
    """Every line of the audit trail follows from the one before, and sealed returns name the ends that it had."""
    from reports.verification.contradictions import contradictions
    from safety.audit.queries import verify

    async with _open_database():
        bad = await verify()
        against = await contradictions(settings.data, deep=False)
    if bad or against:
        raise Unwell("; ".join(str(found) for found in (*bad, *against)))
    return "ok"


async def seal(settings: Settings, now: datetime) -> str:
    """The key that seals returns can be used, and its certificate speaks for today; the detail is its fingerprint."""
    from config.sealing import key_of
    from reports.sealing.keys import in_groups

    key = await asyncio.to_thread(key_of, settings)
    until = key.certificate.not_valid_after_utc
    if not key.certificate.not_valid_before_utc <= now <= until:
        raise Unwell(f"{until:%Y-%m-%d} {in_groups(key.fingerprint)}")
    return in_groups(key.fingerprint)


async def outbox(settings: Settings, now: datetime) -> str:
    """No message has waited long for its receipt, and none was refused for good."""
    from reports.delivery.outbox import dead, overdue

    async with _open_database():
        stuck, refused = await overdue(now, upward=settings.upstream is not None), await dead()
    if stuck or refused:
        raise Unwell(f"{stuck} > 1 h, {refused} x")
    return "ok"


async def upward(settings: Settings, _now: datetime) -> str:
    """Where what is for the level above goes. That no way is set is said, and is nothing wrong."""
    from config.upstream import way_of

    if settings.upstream is None:
        return "SAFE_CAMPUS_UPSTREAM_URL: -"
    way = way_of(settings.upstream)
    return f"{way.name} {way.place}"


@asynccontextmanager
async def _open_database() -> AsyncIterator[None]:
    from config.piccolo_conf import DB
    from safety.database import close_engine, open_engine

    await open_engine(DB)
    try:
        yield
    finally:
        await close_engine(DB)


CHECKS: dict[str, Check] = {
    "clock": clock,
    "data-folder": data_folder,
    "disk": disk,
    "pango": drawing("pango"),
    "pangoft2": drawing("pangoft2"),
    "harfbuzz": drawing("harfbuzz"),
    # Without the subsetter a return takes many times as long to draw.
    "harfbuzz-subset": drawing("harfbuzz-subset"),
    "fonts": drawing("fonts"),
    "database": database,
    "tools": tools,
    "audit": audit,
    "seal": seal,
    "outbox": outbox,
    "upward": upward,
}
