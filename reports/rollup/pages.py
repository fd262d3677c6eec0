"""A bureau's roll-up on screen: what was sealed or will be, the counties that sent theirs, the files."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Response

from reports.delivery.why import why
from reports.page_parts import send_file, text_of
from reports.rollup import actions as rollup_actions
from reports.rollup import press as rollup_press
from reports.rollup import queries as rollup_queries
from reports.rollup import view as rollup_view
from reports.rollup.document import RollupDocument
from reports.rollup.since import Since, changes_since
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.errors import NotFound
from safety.web.forms import FormState
from safety.web.pages import page
from safety.web.quarters import Quarters, quarters_of
from safety.web.visit import Visit, WebRequest, visit_of

Page = Response[str]
SOON = timedelta(hours=1)
"""So long the sealing may take on its day."""
OUTBOX = "select state, bureau, error, next_at from outbox where kind = 'rollup' and subject = $1"
COUNTIES = """select b.code, b.name, r.message, r.version, r.received_at, r.document
from (select code from peer where kind = 'rollup' and revoked_at is null and bureau = $1
 union select sender from received_rollup where bureau = $1) known
join bureau b on b.code = known.code
left join received_rollup r on r.sender = b.code and r.bureau = $1 and r.period = $2
order by b.code, r.version"""
OWN_FILE = """select f.bytes_digest, b.code, r.period, r.version from rollup_file f join rollup r on r.id = f.rollup
join bureau b on b.id = r.bureau where r.id = $1 and r.bureau = $2"""
COUNTY_FILE = """select bytes_digest, sender, period, version from received_rollup
where message = $1 and bureau = $2"""


@dataclass(frozen=True, slots=True)
class CountyLine:
    """A bureau that keeps an instance of its own, and the newest roll-up that came from it; None: none came.

    `document` is None also for one that this version of the product cannot read.
    """

    code: str
    name: str
    message: UUID | None
    version: int | None
    received_at: datetime | None
    document: RollupDocument | None


@dataclass(frozen=True, slots=True)
class State:
    """Where a bureau's roll-up of a quarter stands: `way` is delivered, waiting, dead or kept (there is no way up);
    `since`: what is not in the one sealed last; `error`: why the last attempt failed, `next_at` when the next one is.
    """

    due_at: datetime
    made: rollup_queries.Made | None = None
    way: str = ""
    since: tuple[Since, ...] = ()
    error: str = ""
    next_at: datetime | None = None

    @property
    def why(self) -> str:
        """The error in one of the words of `why.SIGNS`; empty without one."""
        return why(self.error)

    def is_late(self, now: datetime) -> bool:
        """Whether it should have been sealed by now, and somebody has to look why it is not."""
        return self.made is None and now >= self.due_at + SOON


async def counties(bureau_id: int, period: Period) -> list[CountyLine]:
    """What the bureaus with instances of their own have sent to this one, one line each."""
    found: dict[str, CountyLine] = {}
    for code, name, message, version, at, text in await fetch_tuples(None, COUNTIES, [bureau_id, period.id]):
        document = rollup_queries.read_received(text) if text else None
        found[code] = CountyLine(code, name, message, version, at, document)
    return list(found.values())


async def state_of(bureau_id: int, period: Period, *, upward: bool) -> State:
    """How far the roll-up is. `upward`: whether this instance has a way to the level above it."""
    due = await rollup_actions.due_of(bureau_id, period)
    for last in (await rollup_queries.made(bureau_id, period))[:1]:
        posted = await fetch_tuples(None, OUTBOX, [last.id]) or [("kept", None, "", None)]
        state, addressee, error, next_at = posted[0]
        way = "kept" if addressee is None and not upward else str(state)
        since = await changes_since(bureau_id, period, last.document)
        return State(due, last, way, since, error, next_at)
    return State(due)


def has_way(request: WebRequest) -> bool:
    """Whether this instance sends to one above it."""
    return request.app.state.settings.upstream is not None


def last_closed(request: WebRequest) -> Quarters:
    """The quarter that was asked for; otherwise the one that closed last, of which there is something to sum up."""
    visit, quarters = visit_of(request), quarters_of(request)
    if "period" not in request.query_params and visit.now < close_at(quarters.shown):
        return quarters_of(request, quarters.shown.previous().id)
    return quarters


async def draw_rollup(
    request: WebRequest, door: Any, form: FormState | None = None, status: int = 200
) -> Page:
    """A bureau's roll-up of a quarter, wherever the page stands. `door` says where its links lead."""
    visit, quarters = visit_of(request), last_closed(request)
    period, settings = quarters.shown, request.app.state.settings
    closed = visit.now >= close_at(period)
    state = await state_of(visit.bureau, period, upward=has_way(request))
    document = (
        await rollup_actions.current(visit.bureau, period, settings.data, visit.now) if closed else None
    )
    return page(
        request,
        "rollup.html",
        status,
        door=door,
        base=f"{door.base}/rollups",
        quarters=quarters,
        closed=closed,
        late=state.is_late(visit.now),
        state=state,
        made=await rollup_queries.made(visit.bureau, period),
        view=rollup_view.view(document, visit.lang, text_of(request)) if document else None,
        document=document,
        counties=await counties(visit.bureau, period),
        may=not door.inspect and is_clerk(visit),
        form=form or FormState(),
    )


def is_clerk(visit: Visit) -> bool:
    return any(role.name == "clerk" and visit.bureau in role.bureaus for role in visit.viewer.roles)


async def send_rollup(request: WebRequest, item: UUID) -> Response[bytes]:
    """The file of one of the bureau's own roll-ups, or of one that it received. NotFound for any other."""
    bureau = visit_of(request).bureau
    rows = await fetch_tuples(None, OWN_FILE, [item, bureau])
    rows = rows or await fetch_tuples(None, COUNTY_FILE, [item, bureau])
    if not rows:
        raise NotFound
    digest, code, period, version = rows[0]
    return await send_file(request, digest, rollup_press.file_name(code, period, version))
