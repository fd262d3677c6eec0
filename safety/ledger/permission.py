"""Who may write which ledger, for which classes, and which fields (PURE)."""

from typing import Any

from safety.access.scope import Scope
from safety.errors import BadInput, NotAllowed, NotFound
from safety.ledger.declare import EventKind, Field, Kind, Ledger, Values
from safety.ledger.parse import format_plain

NOBODY = "-"
"""No role has this name: where none is named, any role would do."""


def may_write(ledger: Ledger, scope: Scope, school_id: int) -> None:
    """Raises NotFound outside the person's schools, NotAllowed without one of the ledger's roles there."""
    if school_id not in scope.schools and not scope.may(school_id):
        raise NotFound
    if scope.read_only or not scope.may(school_id, *ledger.writers):
        raise NotAllowed


def can_write(ledger: Ledger, scope: Scope, school_id: int) -> bool:
    """Whether to offer writing at all."""
    return not scope.read_only and scope.may(school_id, *ledger.writers)


def records_for(ledger: Ledger, scope: Scope, school_id: int) -> bool:
    """Whether somebody records in the bureau's name: one of the ledger's recorders who is not of the school."""
    return not can_write(ledger, scope, school_id) and scope.may(school_id, *ledger.recorders or (NOBODY,))


def can_record(ledger: Ledger, scope: Scope, school_id: int) -> bool:
    """Whether to offer a new entry."""
    return can_write(ledger, scope, school_id) or (
        not scope.read_only and records_for(ledger, scope, school_id)
    )


def may_record(ledger: Ledger, scope: Scope, school_id: int) -> None:
    """Raises as `may_write` does; recorders pass too."""
    if scope.read_only or not records_for(ledger, scope, school_id):
        may_write(ledger, scope, school_id)


def can_change(ledger: Ledger, scope: Scope, school_id: int, *, bureaus: bool) -> bool:
    """Whether somebody corrects and voids an entry. Each side mends its own: a school cannot take back what the
    bureau recorded (`bureaus`), nor the bureau what the school did.
    """
    if scope.admin or not ledger.recorders:
        return can_write(ledger, scope, school_id)
    if scope.read_only or not bureaus:
        return can_write(ledger, scope, school_id)
    return scope.may(school_id, *ledger.recorders)


def check_recorded_as(ledger: Ledger, scope: Scope, school_id: int, values: Values) -> None:
    """What the bureau records says of itself that the bureau did."""
    if records_for(ledger, scope, school_id):
        for name, needed in ledger.recorded_as:
            if values.get(name) != needed:
                raise BadInput.one(name, "field-reserved", initial=_label(ledger.field_named(name), needed))


def may_add(event: EventKind, scope: Scope, school_id: int) -> None:
    """The same for a later fact."""
    if school_id not in scope.schools and not scope.may(school_id):
        raise NotFound
    if scope.read_only or not scope.may(school_id, *event.roles):
        raise NotAllowed


def event_kind(ledger: Ledger, kind: str) -> EventKind:
    """The ledger's event of that kind. Raises NotFound."""
    for event in ledger.events:
        if event.kind == kind:
            return event
    raise NotFound


def own_classes(ledger: Ledger, scope: Scope, school_id: int) -> frozenset[int] | None:
    """The classes that somebody is limited to who writes as a class teacher only; None for no limit."""
    if scope.admin or not any(item.kind is Kind.SCHOOL_CLASS for item in ledger.fields):
        return None
    roles = scope.roles_at(school_id) & ledger.writers
    classes = scope.classes(school_id)
    return classes if roles == {"teacher"} and classes else None


def check_class(ledger: Ledger, scope: Scope, school_id: int, values: Values) -> None:
    allowed = own_classes(ledger, scope, school_id)
    if allowed is not None:
        for item in ledger.fields:
            if item.kind is Kind.SCHOOL_CLASS and values.get(item.name) not in allowed:
                raise BadInput.one(item.name, "class-not-yours")


def check_reserved(ledger: Ledger, scope: Scope, school_id: int, values: Values, old: Values | None) -> None:
    """A field that others state keeps its initial value, or in a correction the one it has."""
    for item in ledger.fields:
        if item.by is None or scope.may(school_id, *item.by):
            continue
        kept = old.get(item.name) if old is not None else item.initial
        given = values.get(item.name)
        if given != kept and format_plain(item, given) != kept:
            raise BadInput.one(item.name, "field-reserved", initial=_label(item, kept))


def _label(item: Field, value: Any) -> str:
    found = next((choice.label for choice in item.choices if choice.value == value), None)
    return f"{found.zh} {found.en}" if found else format_plain(item, value)
