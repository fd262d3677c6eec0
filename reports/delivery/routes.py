"""What became of what was sealed, on screen and for programs: a return's delivery, a bureau's own messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath

from reports.delivery import tracking
from reports.delivery.tracking import Silent, Track
from reports.routes import READERS
from reports.transports import Transport
from safety.access.scope import Scope
from safety.calendar import Period
from safety.clock import ZONE, local_day
from safety.errors import BadInput, Conflict, NotFound
from safety.places.facts import school_facts
from safety.web.calls import Call
from safety.web.forms import form_values
from safety.web.guards import at_bureau, at_school
from safety.web.pages import go_to, page
from safety.web.paging import page_number
from safety.web.quarters import quarter_named
from safety.web.visit import WebRequest, visit_of

Page = Response[str]
SCHOOL = "/schools/{code:str}/returns/{period:str}/delivery"
BUREAU = "/bureaus/{code:str}/delivery"
PER_PAGE = 50


def _upward(request: WebRequest) -> Transport | None:
    return cast("Transport | None", request.app.state.upward)


# ---------------------------------------------------------------- a school's return
@get(SCHOOL, guards=[at_school(*READERS)])
async def return_delivery(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Page:
    """Every message of a quarter's return: where it went, what was answered, what happens next."""
    visit, quarter = visit_of(request), quarter_named(period, visit_of(request).now)
    return page(
        request,
        "delivery_return.html",
        facts=await school_facts(visit.school),
        period=quarter,
        base=f"/schools/{code}/returns",
        tracks=await tracking.of_return(visit.viewer, visit.school, quarter, _upward(request)),
        may_send=tracking.may_send(visit.viewer, visit.school),
    )


@post(SCHOOL, guards=[at_school(*tracking.SENDERS)], status_code=200)
async def send_return_again(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Page:
    """Try a message of this return again at once."""
    visit, quarter = visit_of(request), quarter_named(period, visit_of(request).now)
    known = await tracking.of_return(visit.viewer, visit.school, quarter, _upward(request))
    return await _send_again(request, known, f"/schools/{code}/returns/{quarter.id}/delivery")


async def _send_again(request: WebRequest, known: list[Track], back: str) -> Page:
    """Of the messages that the page showed; one that has arrived meanwhile shows itself as arrived."""
    visit, given = visit_of(request), (await form_values(request)).get("message", "")
    try:
        message = UUID(given)
    except ValueError as error:
        raise BadInput.one("message", "value-form") from error
    if message not in {track.message for track in known}:
        raise NotFound
    try:
        await tracking.send_again(visit.viewer, message, visit.now)
    except Conflict:
        return go_to(back)
    return go_to(back, "delivery-again")


# ---------------------------------------------------------------- a bureau's own
@get(BUREAU, guards=[at_bureau("clerk")])
async def bureau_delivery(request: WebRequest, code: FromPath[str]) -> Page:
    """A bureau's roll-ups on their way up, and what below it has not arrived."""
    may_send = tracking.may_send(visit_of(request).viewer, None, visit_of(request).bureau)
    return await draw_bureau_delivery(request, f"/bureaus/{code}", may_send=may_send)


async def draw_bureau_delivery(request: WebRequest, base: str, *, may_send: bool = False) -> Page:
    """The same, wherever the page stands; `base` is the bureau's address there."""
    visit, upward, number = visit_of(request), _upward(request), page_number(request)
    closed = Period.of(local_day(visit.now)).previous()
    missing = [
        *await tracking.below(visit.viewer, visit.bureau, upward),
        *await tracking.silent(visit.viewer, visit.bureau, closed),
    ]
    shown = missing[(number - 1) * PER_PAGE : number * PER_PAGE]
    return page(
        request,
        "delivery_bureau.html",
        base=base,
        period=closed,
        tracks=await tracking.of_bureau(visit.viewer, visit.bureau, upward),
        below=[item for item in shown if isinstance(item, Track)],
        silent=[item for item in shown if isinstance(item, Silent)],
        total=len(missing),
        number=number,
        per_page=PER_PAGE,
        may_send=may_send,
    )


@post(BUREAU, guards=[at_bureau("clerk")], status_code=200)
async def send_bureau_again(request: WebRequest, code: FromPath[str]) -> Page:
    """Try one of them again at once."""
    visit, upward = visit_of(request), _upward(request)
    known = await tracking.of_bureau(visit.viewer, visit.bureau, upward)
    known += await tracking.below(visit.viewer, visit.bureau, upward)
    return await _send_again(request, known, f"/bureaus/{code}/delivery")


# ---------------------------------------------------------------- for programs
class TrackOut(msgspec.Struct, frozen=True):
    """A message. `stage`: new, retrying, delivered, dead, no-way; `receipt` is what the other side answered.

    `decision_…`: when the other side was last asked for its decision, when it is again, why the last answer was none;
    null where nobody is asked.
    """

    message: UUID
    kind: str
    sender: str
    period: str
    version: int
    addressee: str
    way: str
    stage: str
    posted_at: str
    attempts: int
    tried_at: str | None
    next_at: str | None
    error: str
    receipt_number: UUID | None
    received_at: str | None
    bytes_digest: str | None
    receipt: str
    decision_asked_at: str | None
    decision_next_at: str | None
    decision_error: str | None


def _out(track: Track) -> TrackOut:
    due, asked = track.next_at if track.stage in {"new", "retrying"} else None, track.inquiry
    return TrackOut(
        track.message, track.kind, track.sender, track.period, track.version, track.addressee, track.way,
        track.stage, _iso(track.posted_at) or "", track.attempts, _iso(track.tried_at), _iso(due), track.error,
        track.number, _iso(track.received_at), track.bytes_digest, track.answer,
        _iso(asked.asked_at) if asked else None, _iso(asked.next_at) if asked else None, asked.error if asked else None,
    )  # fmt: skip


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(ZONE).isoformat() if at else None


API: dict[str, Any] = {"include_in_schema": True, "tags": ["delivery"]}


@get(f"/api/v1{SCHOOL}", guards=[at_school(*READERS)], summary="Delivery of a return", **API)
async def read_return_delivery(request: WebRequest, period: FromPath[str]) -> list[TrackOut]:
    """The messages of a school's quarter, the newest version first."""
    visit, quarter = visit_of(request), quarter_named(period, visit_of(request).now)
    found = await tracking.of_return(visit.viewer, visit.school, quarter, _upward(request))
    return [_out(track) for track in found]


@get(f"/api/v1{BUREAU}", guards=[at_bureau("clerk")], summary="Delivery of a bureau's roll-ups", **API)
async def read_bureau_delivery(request: WebRequest) -> list[TrackOut]:
    """A bureau's own messages, the newest quarter first."""
    visit = visit_of(request)
    found = await tracking.of_bureau(visit.viewer, visit.bureau, _upward(request))
    return [_out(track) for track in found]


# ---------------------------------------------------------------- what asks for somebody
async def alarms(upward: Transport | None, scope: Scope, now: datetime) -> list[Call]:
    """What every page of a clerk or administrator says at its top while messages do not arrive."""
    if not scope.has("clerk"):
        return []
    count = await tracking.count_late(scope, upward, now)
    where = next(iter(_own_bureaus(scope)), None)
    if not count or where is None:
        return []
    return [Call("delivery.alarm", {"count": count}, f"/bureaus/{where}/delivery", "delivery.look")]


def _own_bureaus(scope: Scope) -> list[str]:
    """The bureau that somebody is a clerk of; an administrator's are all."""
    own = {role.bureau for role in scope.roles if role.name == "clerk"}
    return [code for code, number in scope.bureau_codes.items() if number in own] or list(scope.bureau_codes)


ROUTER = Router(
    "/",
    route_handlers=[
        return_delivery,
        send_return_again,
        bureau_delivery,
        send_bureau_again,
        read_return_delivery,
        read_bureau_delivery,
    ],
    security=[{"bearer": []}],
)
