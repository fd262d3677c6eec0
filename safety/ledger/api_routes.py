"""Every ledger for programs: `/api/v1/schools/{code}/ledgers/{ledger}`, bearer tokens, RFC 9457 problems."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from safety.clock import ZONE
from safety.errors import BadInput, Problem
from safety.ledger import actions, forms, permission, queries
from safety.ledger.declare import GRID_ZONE, Field, Kind, Ledger
from safety.ledger.parse import Context, FieldError, format_field, parse_field
from safety.ledger.routes import BEHALF, READERS, Place, place_of
from safety.ledger.rows import EntryRow
from safety.ledger.timing import Timing
from safety.ledger.values import parse_values
from safety.text import Text
from safety.web.guards import at_school
from safety.web.visit import WebRequest

BASE = "/api/v1/schools/{code:str}/ledgers/{ledger:str}"
RECORDED = Field("recorded_at", Kind.INSTANT, Text("记录时间", "Recorded"), required=False, past=False)
HAPPENED = Field("happened_at", Kind.INSTANT, Text("发生时间", "When"))
MOST_PER_PAGE = 500

Body = JSONBody[dict[str, Any]]
Key = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key", description="8 to 80 characters; the same key and body is the same entry"
    ),
]


class EntryOut(msgspec.Struct, kw_only=True):
    """One version of an entry. `values`: whole numbers as such, all else as the text of a bundle's cell.

    `timing`: on-time, late or backfilled, as the score counts it; uncounted for a zero-report made after that day's
    incident was discovered; null for what answers nothing due, or was corrected or voided.
    """

    id: UUID
    ledger: str
    school: str
    values: dict[str, Any]
    happened_on: str
    recorded_at: str
    recorded_by: str | None
    on_behalf_of: str | None = None
    zone: str | None = None
    timing: str | None = None
    why: str | None = None
    supersedes: UUID | None = None
    superseded_by: UUID | None = None
    voided_at: str | None = None
    void_why: str | None = None


class EventOut(msgspec.Struct, kw_only=True):
    """A later fact of an entry."""

    id: UUID
    kind: str
    value: str
    happened_at: str
    recorded_at: str
    recorded_by: str | None


class EntryPage(msgspec.Struct, kw_only=True):
    """A page of entries; `page` counts from 1."""

    entries: list[EntryOut]
    total: int
    page: int
    pages: int


class EntryHistory(msgspec.Struct, kw_only=True):
    """An entry with all versions of its chain, oldest first, and its later facts."""

    entry: EntryOut
    versions: list[EntryOut]
    events: list[EventOut]


class Made(msgspec.Struct, kw_only=True):
    """What a write made, or had made before."""

    id: UUID
    created: bool


# ---------------------------------------------------------------- reading
@get(BASE, guards=[at_school(*READERS)], include_in_schema=True, summary="List entries", tags=["ledgers"])
async def list_entries(
    request: WebRequest,
    since: Annotated[str | None, QueryParameter(description="First day, ISO 8601")] = None,
    until: Annotated[str | None, QueryParameter(description="Last day, ISO 8601")] = None,
    person: Annotated[str | None, QueryParameter(description="Login")] = None,
    zone: Annotated[str | None, QueryParameter(description="Grid zone")] = None,
    timing: Annotated[str | None, QueryParameter(description="on-time, late or backfilled")] = None,
    stands: Annotated[
        str | None, QueryParameter(name="state", description="current, superseded or voided")
    ] = None,
    order: Annotated[str | None, QueryParameter(description="newest, oldest or recorded")] = None,
    q: Annotated[str | None, QueryParameter(description="Text that the entry holds")] = None,
    page: Annotated[int, QueryParameter(ge=1, le=1_000_000)] = 1,
    size: Annotated[int, QueryParameter(ge=1, le=MOST_PER_PAGE)] = queries.PAGE,
) -> EntryPage:
    """A page of entries, newest first unless asked otherwise; `class` filters by a class's name."""
    place = place_of(request)
    visit, ledger = place.visit, place.ledger
    context = await queries.context_for(ledger, visit.school, visit.now)
    asked = {
        "since": since,
        "until": until,
        "person": person,
        "zone": zone,
        "timing": timing,
        "state": stands,
        "order": order,
        "q": q,
    }
    asked["class"] = request.query_params.get("class")
    given = {name: text for name, text in asked.items() if text}
    filters, _ = forms.read_filters(given, context)
    _refuse_unread(given, filters)
    found = await queries.list_entries(
        visit.viewer, ledger, visit.school, filters, visit.now, page=page, size=size
    )
    known = replace(context, people={**{p.login: p.id for p in found.people.values()}, **context.people})
    entries = [_entry_out(place, row, known, found.timings.get(row.id)) for row in found.rows]
    return EntryPage(entries=entries, total=found.total, page=page, pages=found.last)


def _refuse_unread(given: Mapping[str, str], filters: queries.Filters) -> None:
    """A page shows what it can of an odd address; a program must hear that a filter was not understood."""
    read = {
        "since": filters.since, "until": filters.until, "class": filters.classes or None, "person": filters.person,
        "zone": filters.zone, "timing": filters.timing or None, "q": filters.text or None,
    }  # fmt: skip
    problems = [
        Problem(name, "filter-unread", {"text": given[name]})
        for name in read
        if name in given and read[name] is None
    ]
    for name, kept in (("state", filters.state), ("order", filters.order)):
        if given.get(name, kept) != kept:
            problems.append(Problem(name, "filter-unread", {"text": given[name]}))
    if problems:
        raise BadInput(problems)


@get(
    BASE + "/{entry_id:uuid}",
    guards=[at_school(*READERS)],
    include_in_schema=True,
    summary="Read an entry",
    tags=["ledgers"],
)
async def read_entry(request: WebRequest, entry_id: FromPath[UUID]) -> EntryHistory:
    """An entry with its history."""
    place = place_of(request)
    visit, ledger = place.visit, place.ledger
    found = await queries.detail(visit.viewer, ledger, visit.school, entry_id, visit.now)
    context = await queries.context_for(ledger, visit.school, visit.now)
    known = replace(context, people={**context.people, **{p.login: p.id for p in found.people.values()}})
    return EntryHistory(
        entry=_entry_out(place, found.entry, known, found.timing),
        versions=[_entry_out(place, version, known, None) for version in found.versions],
        events=[
            EventOut(
                id=event.id,
                kind=event.kind,
                value=event.value,
                happened_at=_iso(event.happened_at),
                recorded_at=_iso(event.recorded_at),
                recorded_by=known.logins.get(event.recorded_by or 0),
            )
            for event in found.events
        ],
    )


def _entry_out(place: Place, row: EntryRow, context: Context, timing: Timing | None) -> EntryOut:
    return EntryOut(
        id=row.id,
        ledger=place.ledger.name,
        school=place.code,
        values={item.name: _plain(item, row.values.get(item.name), context) for item in place.ledger.fields},
        happened_on=row.happened_on.isoformat(),
        recorded_at=_iso(row.recorded_at),
        recorded_by=context.logins.get(row.recorded_by or 0),
        on_behalf_of=context.logins.get(row.on_behalf_of or 0),
        zone=_plain(GRID_ZONE, row.values.get(GRID_ZONE.name), context),
        timing=timing.name if timing else None,
        why=row.why,
        supersedes=row.supersedes,
        superseded_by=row.superseded_by,
        voided_at=_iso(row.voided_at) if row.voided_at else None,
        void_why=row.void_why,
    )


def _plain(item: Field, value: Any, context: Context) -> Any:
    if value is None or item.kind is Kind.INTEGER:
        return value
    return _iso(value) if item.kind is Kind.INSTANT else format_field(item, value, context)


def _iso(at: datetime) -> str:
    return at.astimezone(ZONE).isoformat()


# ---------------------------------------------------------------- writing
@post(BASE, guards=[at_school(*READERS)], include_in_schema=True, summary="Record an entry", tags=["ledgers"])
async def create_entry(request: WebRequest, data: Body, key: Key = None) -> Response[Made]:
    """Fields by name. Also `zone` (a grid zone), `on_behalf_of` (a login) and, for administrators, `recorded_at`."""
    place = place_of(request)
    visit, ledger = place.visit, place.ledger
    permission.may_record(ledger, visit.viewer, visit.school)
    raw = _texts(data, {item.name for item in ledger.every_field} | {"on_behalf_of", "recorded_at"})
    at = _recorded_at(raw, visit.now)
    context = replace(
        await queries.context_for(ledger, visit.school, visit.now, raw), recorded_at=at or visit.now
    )
    values, behalf = _read(ledger, raw, context)
    made = await actions.record(
        ledger, visit.viewer, visit.school, values, _key(key), visit.now,
        recorded_at=at, on_behalf_of=behalf, context=context,
    )  # fmt: skip
    return _answer(place, made)


@post(
    BASE + "/{entry_id:uuid}/correct",
    guards=[at_school(*READERS)],
    include_in_schema=True,
    summary="Correct an entry",
    tags=["ledgers"],
)
async def correct_entry(
    request: WebRequest, entry_id: FromPath[UUID], data: Body, key: Key = None
) -> Response[Made]:
    """All fields of the new version by name, and `why`."""
    place = place_of(request)
    visit, ledger = place.visit, place.ledger
    permission.may_record(ledger, visit.viewer, visit.school)
    raw = _texts(data, {item.name for item in ledger.every_field} | {"why"})
    entry = await queries.entry(visit.viewer, ledger, visit.school, entry_id)
    context = await queries.context_of_entry(ledger, entry, visit.now)
    values, _ = _read(ledger, forms.kept_zone(entry, context) | raw, context)
    made = await actions.correct(
        ledger, visit.viewer, visit.school, entry_id, values, raw.get("why", ""), _key(key), visit.now,
        on_behalf_of=entry.on_behalf_of, context=context,
    )  # fmt: skip
    return _answer(place, made)


@post(
    BASE + "/{entry_id:uuid}/void",
    guards=[at_school(*READERS)],
    include_in_schema=True,
    summary="Declare an entry void",
    tags=["ledgers"],
    status_code=204,
)
async def void_entry(request: WebRequest, entry_id: FromPath[UUID], data: Body) -> None:
    """`why` is required."""
    place = place_of(request)
    raw = _texts(data, {"why"})
    await actions.void(
        place.ledger, place.visit.viewer, place.visit.school, entry_id, raw.get("why", ""), place.visit.now
    )


@post(
    BASE + "/{entry_id:uuid}/events/{kind:str}",
    guards=[at_school(*READERS)],
    include_in_schema=True,
    summary="Add a later fact",
    tags=["ledgers"],
)
async def create_event(
    request: WebRequest, entry_id: FromPath[UUID], kind: FromPath[str], data: Body, key: Key = None
) -> Response[Made]:
    """`happened_at`, and `value` where the kind has one."""
    place = place_of(request)
    visit, ledger = place.visit, place.ledger
    permission.may_add(permission.event_kind(ledger, kind), visit.viewer, visit.school)
    raw = _texts(data, {"happened_at", "value"})
    context = await queries.context_for(ledger, visit.school, visit.now, {})
    try:
        at = parse_field(HAPPENED, raw.get("happened_at", ""), context)
    except FieldError as error:
        raise BadInput.one("happened_at", error.code, **error.values) from error
    made = await actions.add_event(
        ledger, visit.viewer, visit.school, entry_id, kind, raw.get("value", ""), at, _key(key), visit.now
    )
    return Response(Made(id=made.id, created=made.created), status_code=201 if made.created else 200)


def _texts(data: Mapping[str, Any], known: set[str]) -> dict[str, str]:
    """A JSON object as the texts that every way in reads. Raises BadInput for what no field can be."""
    problems, found = [], {}
    for name, value in data.items():
        if name not in known:
            problems.append(Problem(name, "unknown-field", {"name": name}))
        elif value is None:
            found[name] = ""
        elif isinstance(value, bool) or not isinstance(value, str | int | float):
            problems.append(Problem(name, "value-form"))
        else:
            found[name] = str(value).replace("\0", "")
    if problems:
        raise BadInput(problems)
    return found


def _read(ledger: Ledger, raw: Mapping[str, str], context: Context) -> tuple[dict[str, Any], int | None]:
    values, problems = parse_values(ledger, raw, context)
    behalf = None
    try:
        behalf = parse_field(
            Field("on_behalf_of", Kind.PERSON, BEHALF, required=False), raw.get("on_behalf_of", ""), context
        )
    except FieldError as error:
        problems.append(Problem("on_behalf_of", error.code, error.values))
    if problems:
        raise BadInput(problems)
    return values, behalf


def _recorded_at(raw: Mapping[str, str], now: datetime) -> datetime | None:
    try:
        found: datetime | None = parse_field(RECORDED, raw.get("recorded_at", ""), Context(_NOWHERE, now))
    except FieldError as error:
        raise BadInput.one("recorded_at", error.code, **error.values) from error
    return found


_NOWHERE: Any = None


def _key(given: str | None) -> str:
    if not given:
        raise BadInput.one("Idempotency-Key", "key-missing")
    return given


def _answer(place: Place, made: actions.Recorded) -> Response[Made]:
    return Response(
        Made(id=made.id, created=made.created),
        status_code=201 if made.created else 200,
        headers={"location": f"/api/v1{place.path}/{made.id}"},
    )


ROUTER = Router(
    "/",
    route_handlers=[list_entries, read_entry, create_entry, correct_entry, void_entry, create_event],
    security=[{"bearer": []}],
)
