"""What a ledger's form asks, and how entries are shown: worked out from the declaration alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from safety.access.scope import Scope
from safety.facts import SchoolFacts
from safety.ledger.declare import GRID_ZONE, Field, Kind, Ledger
from safety.ledger.parse import Context, FieldError, format_field, format_local, format_plain, read_day
from safety.ledger.permission import own_classes, records_for
from safety.ledger.queries import Filters, Person
from safety.ledger.rows import EntryRow
from safety.text import Text

FEW = 6
"""Up to so many choices lie side by side, each large enough for a thumb; more go into a list to open."""
SHOWN = 5
"""Columns of a list besides day, timing and name; the rest is on the entry's own page."""

Option = tuple[str, str]
Raw = dict[str, str]


@dataclass(frozen=True, slots=True)
class Widget:
    """One field as a form draws it. `kind` is text, textarea, number, date, datetime-local, radios or select."""

    name: str
    kind: str
    label: Text
    required: bool
    help: Text | str = ""
    default: str = ""
    options: Sequence[Option] = ()
    maxlength: int | str = ""
    least: str = ""
    most: str = ""
    step: str = ""
    inputmode: str = ""


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom and when a form is drawn."""

    scope: Scope
    context: Context
    people: Sequence[Person]
    lang: str


def widgets(ledger: Ledger, asker: Asker, entry: EntryRow | None = None) -> list[Widget]:
    """The fields of a new entry's form, or of the correction of `entry`; those that others state are left out."""
    school = asker.context.facts.id
    found = []
    for item in fields_at(ledger, asker.context.facts):
        if item.by is None or asker.scope.may(school, *item.by):
            default = _kept(item, entry, asker.context) if entry else _initial(item, ledger, asker)
            found.append(_widget(item, ledger, asker, default))
    return found


def event_widget(item: Field, asker: Asker, ledger: Ledger) -> Widget:
    """The field of a later fact's value."""
    return _widget(item, ledger, asker, "", name="value")


def at_widget(asker: Asker, label: Text) -> Widget:
    """When a later fact happened."""
    now = format_local(_to_minute(asker.context.recorded_at))
    return Widget("happened_at", "datetime-local", label, True, default=now, most=now)


def behalf_widget(asker: Asker, label: Text, blank: str) -> Widget:
    """For whom it is entered, if for somebody else."""
    others = [person for person in asker.people if person.id != asker.scope.account_id]
    return Widget("on_behalf_of", "select", label, False, options=[("", blank), *_people_options(others)])


def kept_zone(entry: EntryRow, context: Context) -> Raw:
    """The zone of an entry as text, for a correction that does not speak of zones: it is not taken away so."""
    return {GRID_ZONE.name: format_field(GRID_ZONE, entry.values.get(GRID_ZONE.name), context)}


def _kept(item: Field, entry: EntryRow, context: Context) -> str:
    return format_field(item, entry.values.get(item.name), context)


def _initial(item: Field, ledger: Ledger, asker: Asker) -> str:
    if item.kind is Kind.SCHOOL_CLASS:
        names = _class_options(ledger, asker)
        return names[0][0] if len(names) == 1 and item.required else ""
    recorded_as = dict(ledger.recorded_as)
    bureaus = item.name in recorded_as and records_for(ledger, asker.scope, asker.context.facts.id)
    match recorded_as[item.name] if bureaus else item.initial:
        case None:
            return ""
        case "today":
            return asker.context.recorded_on.isoformat()
        case "now":
            return format_local(_to_minute(asker.context.recorded_at))
        case "me":
            return asker.scope.login if any(p.login == asker.scope.login for p in asker.people) else ""
        case literal:
            return literal


def _to_minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _widget(item: Field, ledger: Ledger, asker: Asker, default: str, name: str = "") -> Widget:
    kind, extra = _control(item, ledger, asker, default)
    return Widget(
        name=name or item.name,
        kind=kind,
        label=item.label,
        required=item.required,
        help=item.help or "",
        default=default,
        **extra,
    )


def _control(  # noqa: PLR0911 - one case per kind
    item: Field, ledger: Ledger, asker: Asker, default: str
) -> tuple[str, dict[str, Any]]:
    match item.kind:
        case Kind.TEXT:
            return ("textarea" if item.long else "text"), {"maxlength": item.maximum or ""}
        case Kind.INTEGER:
            return "number", {"inputmode": "numeric", "step": "1", **_bounds(item)}
        case Kind.THOUSANDTHS:
            return "number", {"inputmode": "decimal", "step": "0.001", **_bounds(item)}
        case Kind.DAY:
            return "date", {"most": asker.context.recorded_on.isoformat() if _past(item, ledger) else ""}
        case Kind.INSTANT:
            most = format_local(_to_minute(asker.context.recorded_at)) if _past(item, ledger) else ""
            return "datetime-local", {"most": most}
        case Kind.CHOICE:
            options = [(choice.value, choice.label.to(asker.lang)) for choice in item.choices]
            if len(options) > FEW or not item.required:
                return "select", {"options": [("", "—"), *options]}
            return "radios", {"options": options}
        case Kind.SCHOOL_CLASS | Kind.PERSON | Kind.ZONE:
            return "select", {"options": _with_blank(_named_options(item, ledger, asker), default)}


def _past(item: Field, ledger: Ledger) -> bool:
    return item.past and not ledger.future


def _bounds(item: Field) -> dict[str, str]:
    return {
        "least": "" if item.minimum is None else str(item.minimum),
        "most": "" if item.maximum is None else str(item.maximum),
    }


def _with_blank(options: list[Option], default: str) -> list[Option]:
    """With a first empty choice; with the one that is kept, should it have gone from the list since."""
    known = {value for value, _ in options}
    kept = [(default, default)] if default and default not in known else []
    return [("", "—"), *kept, *options]


def _named_options(item: Field, ledger: Ledger, asker: Asker) -> list[Option]:
    if item.kind is Kind.SCHOOL_CLASS:
        return _class_options(ledger, asker)
    if item.kind is Kind.PERSON:
        return _people_options(asker.people)
    return [(zone.label, zone.label) for zone in asker.context.facts.zones]


def _class_options(ledger: Ledger, asker: Asker) -> list[Option]:
    """The classes of this school year, and of the last one where their names differ: the entry's day decides."""
    allowed = own_classes(ledger, asker.scope, asker.context.facts.id)
    today = asker.context.recorded_on
    names: dict[str, None] = {}
    for day in (today, today - timedelta(days=366)):
        for item in asker.context.facts.classes_on(day):
            if allowed is None or item.id in allowed:
                names.setdefault(item.name)
    return [(name, name) for name in names]


def _people_options(people: Iterable[Person]) -> list[Option]:
    people = list(people)
    names = [person.name for person in people]
    return [
        (person.login, f"{person.name}（{person.login}）" if names.count(person.name) > 1 else person.name)
        for person in people
    ]


# ---------------------------------------------------------------- showing
@dataclass(frozen=True, slots=True)
class Shower:
    """How values are written for somebody to read."""

    context: Context
    people: Mapping[int, Person]
    lang: str

    def value(self, item: Field, value: Any) -> Any:
        """Days and instants as such, for the page's own filters; all else as text."""
        if value is None or isinstance(value, date | datetime):
            return value
        if item.kind is Kind.CHOICE:
            found = next((choice.label for choice in item.choices if choice.value == value), None)
            return found.to(self.lang) if found else value
        if item.kind is Kind.PERSON:
            return self.name(value)
        if item.kind is Kind.SCHOOL_CLASS or item.kind is Kind.ZONE:
            return self._place(item, value)
        if item.kind is Kind.INTEGER and isinstance(value, int):
            return f"{value:,}"
        return format_plain(item, value)

    def _place(self, item: Field, value: int) -> str:
        if item.kind is Kind.ZONE:
            return self.context.zone_by_id[value].label
        known = self.context.class_by_id.get(value)
        return known.name if known else f"#{value}"

    def event(self, item: Field | None, text: str) -> Any:
        """A later fact's value, which is kept as canonical text."""
        if item is None or item.kind is not Kind.CHOICE:
            return text
        return self.value(item, text)

    def name(self, account: int | None) -> str:
        """A person's name; empty for nobody, which is how the machine's own entries are marked."""
        known = self.people.get(account) if account is not None else None
        return known.name if known else ""


def fields_at(ledger: Ledger, facts: SchoolFacts) -> tuple[Field, ...]:
    """What a school's entries of a ledger say: the grid zone only where the school has zones."""
    return ledger.every_field if facts.zones else ledger.fields


def list_fields(ledger: Ledger, rows: Iterable[EntryRow]) -> list[Field]:
    """The columns of a list: the first few that are short, without the day that every row begins with; and the zone
    where some row names one.
    """
    lead = ledger.happened or "happened_on"
    found = [item for item in ledger.fields if item.name != lead and not item.long][:SHOWN]
    return [*found, GRID_ZONE] if any(row.values.get(GRID_ZONE.name) for row in rows) else found


def lead_field(ledger: Ledger) -> Field:
    """The day or instant that a row begins with."""
    return ledger.field_named(ledger.happened or "happened_on")


# ---------------------------------------------------------------- what a list is asked for
TIMINGS = ("on-time", "late", "backfilled")
STATES = ("current", "superseded", "voided")
ORDERS = ("newest", "oldest", "recorded")


def read_filters(query: Mapping[str, str], context: Context) -> tuple[Filters, Raw]:
    """The filters of an address, and as text what of them could be read; what cannot be read is left out."""
    read: dict[str, Any] = {}
    for name in ("since", "until"):
        day = _day_or_none(query.get(name, ""))
        if day is not None:
            read[name] = day
    named = query.get("class", "")
    if named in context.classes:
        read["classes"] = tuple(item.id for item in context.classes[named])
    person = context.people.get(query.get("person", ""))
    if person is not None:
        read["person"] = person
    zone = context.zones.get(query.get("zone", ""))
    if zone is not None:
        read["zone"] = zone
    for name, known in (("timing", TIMINGS), ("state", STATES), ("order", ORDERS)):
        if query.get(name) in known:
            read[name] = query[name]
    text = query.get("q", "").strip()[:100]
    if text and text.isprintable():
        read["text"] = text
    kept = {"since", "until", "class", "person", "zone", "timing", "state", "order", "q"}
    return Filters(**read), {name: query[name] for name in query if name in kept and query[name]}


def _day_or_none(text: str) -> date | None:
    try:
        return read_day(text)
    except FieldError:
        return None
