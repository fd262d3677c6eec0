"""What became of a message: where it goes, by which way, when it was tried, what was answered, what happens next.

Those for pages take the viewer's scope first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from reports.delivery import inquiries
from reports.delivery.outbox import ALERT_AFTER
from reports.delivery.why import why
from reports.transports import Transport
from safety.access.scope import Scope
from safety.audit.actions import append
from safety.calendar import Period
from safety.database import fetch_tuples, transaction
from safety.duties import close_at
from safety.errors import Conflict, NotAllowed, NotFound

MESSAGES = """select o.message, o.kind, coalesce(r.period, u.period), coalesce(r.version, u.version), s.code, s.name,
f.code, f.name, b.name, coalesce(b.elsewhere, true), o.state, o.posted_at, o.attempts, o.tried_at, o.next_at, o.error,
c.number, c.bytes_digest, c.received_at, c.way, c.answer
from outbox o left join bureau b on b.id = o.bureau
left join school_return r on o.kind = 'return' and r.id = o.subject left join school s on s.id = r.school
left join rollup u on o.kind = 'rollup' and u.id = o.subject left join bureau f on f.id = u.bureau
left join receipt c on c.message = o.message
where {where} order by coalesce(r.period, u.period) desc, coalesce(r.version, u.version) desc, o.message"""
OF_RETURN = MESSAGES.format(where="r.school = $1 and r.period = $2")
OF_BUREAU = MESSAGES.format(where="u.bureau = $1")
LATE = MESSAGES.format(where="o.state = 'dead' or (o.state = 'waiting' and o.posted_at < $1)")
TREE = """with recursive tree (id) as (select id from bureau where id = $1
union select b.id from bureau b join tree on b.parent = tree.id)"""
UNDELIVERED = MESSAGES.format(
    where="o.state <> 'delivered' and (s.bureau in (select id from tree) "
    "or f.id in (select id from tree where id <> $1))"
)
BELOW = f"{TREE} {UNDELIVERED}"
SILENT = f"""{TREE} select s.code, s.name, s.name_en, p.seen_at from peer p join school s on s.code = p.code
join tree on tree.id = s.bureau where p.kind = 'return' and p.revoked_at is null and p.added_at < $3
and not exists (select 1 from inbox_item i where i.school_code = s.code and i.period = $2) order by s.code"""  # noqa: S608
COUNT = """select count(*) from outbox o
where o.state <> 'delivered' and (o.state = 'dead' or o.posted_at < $1)"""
FAILED = "select at, error from failed_attempt where message = $1 order by at desc, id desc limit 20"
WHOSE = """select o.state, r.school, r.period, u.bureau, f.code
from outbox o left join school_return r on o.kind = 'return' and r.id = o.subject
left join rollup u on o.kind = 'rollup' and u.id = o.subject left join bureau f on f.id = u.bureau
where o.message = $1"""
AGAIN = """update outbox set state = 'waiting', attempts = 0, next_at = $2, alerted_at = null
where message = $1 and state <> 'delivered' returning message"""
SENDERS = ("principal", "clerk")
"""Who may have a message sent again, beside administrators."""


@dataclass(frozen=True, slots=True)
class Track:
    """One message. `sender` and `sender_name` are the school or bureau that it speaks for; `addressee` the bureau's
    name (empty: the level above this instance); `way` inbox, https, smtp, sftp, folder, or empty where none is set;
    `inquiry` is how it stands with asking for the decision, where that is made on another instance.
    """

    message: UUID
    kind: str
    period: str
    version: int
    sender: str
    sender_name: str
    addressee: str
    way: str
    place: str
    state: str
    posted_at: datetime
    attempts: int
    tried_at: datetime | None
    next_at: datetime
    error: str
    number: UUID | None
    bytes_digest: str | None
    received_at: datetime | None
    answer: str
    failed: tuple[tuple[datetime, str], ...] = field(default=())
    inquiry: inquiries.Inquiry | None = None

    @property
    def stage(self) -> str:
        """delivered, dead, no-way, retrying (it failed before) or new."""
        if self.state != "waiting":
            return self.state
        if not self.way:
            return "no-way"
        return "retrying" if self.error else "new"

    @property
    def why(self) -> str:
        """The last error in one of the words of `why.SIGNS`; empty without one."""
        return why(self.error)

    @property
    def why_unanswered(self) -> str:
        """The same of asking for the decision."""
        return why(self.inquiry.error) if self.inquiry else ""


def _track(row: tuple[Any, ...], upward: Transport | None) -> Track:
    message, kind, period, version, code, name, bureau, bureau_name, addressee, elsewhere, state, *rest = row
    posted_at, attempts, tried_at, next_at, error, number, digest, received_at, used, answer = rest
    way, place = (upward.name, upward.place) if upward else ("", "")
    if not elsewhere:
        way, place = "inbox", ""
    return Track(
        message, kind, period, version, code or bureau, name or bureau_name, addressee or "", used or way, place,
        state, posted_at, attempts, tried_at, next_at, error, number, digest, received_at, answer or "",
    )  # fmt: skip


async def _with_more(tracks: Sequence[Track]) -> list[Track]:
    return [
        replace(
            track,
            failed=tuple(await fetch_tuples(None, FAILED, [track.message])),
            inquiry=await inquiries.of_message(track.message),
        )
        for track in tracks
    ]


async def of_return(scope: Scope, school_id: int, period: Period, upward: Transport | None) -> list[Track]:
    """The messages of a school's quarter, the newest version first. NotFound for a school out of scope."""
    if not scope.may(school_id):
        raise NotFound
    rows = await fetch_tuples(None, OF_RETURN, [school_id, period.id])
    return await _with_more([_track(row, upward) for row in rows])


async def of_bureau(scope: Scope, bureau_id: int, upward: Transport | None) -> list[Track]:
    """A bureau's own messages, the newest quarter first. NotFound for a bureau out of scope."""
    if not scope.may_bureau(bureau_id):
        raise NotFound
    rows = await fetch_tuples(None, OF_BUREAU, [bureau_id])
    return await _with_more([_track(row, upward) for row in rows])


async def below(scope: Scope, bureau_id: int, upward: Transport | None) -> list[Track]:
    """What the schools and bureaus below a bureau have sealed and what has not arrived, the newest quarter first.
    NotFound for a bureau out of scope.
    """
    if not scope.may_bureau(bureau_id):
        raise NotFound
    rows = await fetch_tuples(None, BELOW, [bureau_id])
    return [_track(row, upward) for row in rows]


@dataclass(frozen=True, slots=True)
class Silent:
    """A school that keeps an instance of its own, and of whose quarter nothing has come; `seen_at`: when it was last
    heard of, None for never.
    """

    code: str
    name: str
    name_en: str
    seen_at: datetime | None


async def silent(scope: Scope, bureau_id: int, period: Period) -> list[Silent]:
    """The schools below a bureau that would send a quarter from elsewhere and have not; those enrolled after its close
    have nothing of it to send. NotFound for a bureau out of scope.
    """
    if not scope.may_bureau(bureau_id):
        raise NotFound
    return [
        Silent(*row) for row in await fetch_tuples(None, SILENT, [bureau_id, period.id, close_at(period)])
    ]


async def late(scope: Scope, upward: Transport | None, now: datetime) -> list[Track]:
    """Of the schools and bureaus in scope: what has waited for more than an hour, and what was refused for good. What
    no way is set for has not failed and is not among them.
    """
    schools, bureaus = set(scope.school_codes), set(scope.bureau_codes)
    found = [_track(row, upward) for row in await fetch_tuples(None, LATE, [now - ALERT_AFTER])]
    return [
        track
        for track in found
        if track.stage != "no-way" and (track.sender in (schools if track.kind == "return" else bureaus))
    ]


async def count_late(scope: Scope, upward: Transport | None, now: datetime) -> int:
    """How many those are; on most days none, which one glance at an index says."""
    rows = await fetch_tuples(None, COUNT, [now - ALERT_AFTER])
    return len(await late(scope, upward, now)) if rows[0][0] else 0


# ---------------------------------------------------------------- sending again
async def send_again(scope: Scope, message: UUID, now: datetime) -> None:
    """Have a message that did not arrive tried at once; a dead one comes back to life.

    Raises:
        NotFound: there is no such message of a school or bureau in scope.
        NotAllowed: neither the school's principal nor a clerk above nor an administrator.
        Conflict: `already-delivered`.
    """
    async with transaction():
        rows = await fetch_tuples(None, WHOSE, [message])
        if not rows:
            raise NotFound
        state, school, period, bureau, code = rows[0]
        if not _in_scope(scope, school, bureau):
            raise NotFound
        if not may_send(scope, school, bureau):
            raise NotAllowed
        if not await fetch_tuples(None, AGAIN, [message, now]):
            raise Conflict("already-delivered")
        subject = f"returns/{period}" if school is not None else f"bureau:{code}"
        told = {"message": message, "before": state}
        await append(school, scope, "delivery.sent-again", subject, told, now)


def may_send(scope: Scope, school: int | None, bureau: int | None = None) -> bool:
    """Whether somebody may have a message of that school or bureau sent again."""
    if school is not None:
        return scope.may(school, *SENDERS)
    return bureau is not None and scope.may_bureau(bureau, *SENDERS)


def _in_scope(scope: Scope, school: int | None, bureau: int | None) -> bool:
    if school is not None:
        return scope.may(school)
    return bureau is not None and scope.may_bureau(bureau)
