"""A row's values: read from its texts, and the rules that hold for every ledger (PURE)."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from safety.clock import local_day
from safety.errors import Problem
from safety.ledger.declare import Field, Kind, Ledger, Values
from safety.ledger.parse import COMPUTED, Context, FieldError, local_minute, parse_field


def parse_values(
    ledger: Ledger, raw: Mapping[str, str], context: Context
) -> tuple[dict[str, Any], list[Problem]]:
    """A row's values by field name, `happened_on` always among them, and everything that is wrong with it.

    A field that is missing altogether takes its literal initial value; one that is given empty does not.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    classes = []
    for item in ledger.every_field:
        if item.kind is Kind.SCHOOL_CLASS:
            classes.append(item)
        else:
            _take(item, raw, context, None, values, problems)
    if ledger.happened:
        at = values.get(ledger.happened)
        values["happened_on"] = None if at is None else local_day(at)
    for item in classes:
        _take(item, raw, context, values.get("happened_on"), values, problems)
    problems += problems_in(ledger, values, context, known=problems)
    return values, problems


def _take(
    item: Field,
    raw: Mapping[str, str],
    context: Context,
    day: date | None,
    values: dict[str, Any],
    problems: list[Problem],
) -> None:
    try:
        values[item.name] = parse_field(item, _text_of(item, raw), context, day)
    except FieldError as error:
        values[item.name] = None
        problems.append(Problem(item.name, error.code, error.values))


def _text_of(item: Field, raw: Mapping[str, str]) -> str:
    given = raw.get(item.name)
    if (
        item.initial is not None
        and item.initial not in COMPUTED
        and (given is None or (item.by and not given))
    ):
        return item.initial
    return given or ""


def problems_in(
    ledger: Ledger, values: Values, context: Context, known: Iterable[Problem] = ()
) -> list[Problem]:
    """What no ledger accepts, in values of the right type: figures out of bounds, the future, a class that is not
    the school's or does not exist that day; and, if all that is well, what the ledger's own check refuses.

    `known` are problems found while reading: their fields are left alone.
    """
    broken = {problem.field for problem in known}
    problems = []
    for item in ledger.every_field:
        if item.name not in broken:
            found = _wrong_with(item, values.get(item.name), values, context)
            if found is not None:
                problems.append(Problem(item.name, found.code, found.values))
    problems += _too_early(ledger, values, context, broken | {problem.field for problem in problems})
    if not (problems or broken):
        problems += ledger.check(values, context.facts)
    return problems


def _wrong_with(item: Field, value: Any, values: Values, context: Context) -> FieldError | None:
    if value is None:
        return FieldError("required") if item.required else None
    if item.kind is Kind.SCHOOL_CLASS:
        return _class_error(value, values.get("happened_on"), context)
    if item.kind is Kind.ZONE:
        return None if value in context.zone_by_id else FieldError("zone-unknown", name=value)
    if item.kind is Kind.INTEGER or item.kind is Kind.THOUSANDTHS:
        return _bounds_error(item, value)
    if item.past and (
        (item.kind is Kind.DAY and value > context.recorded_on)
        or (item.kind is Kind.INSTANT and value > context.recorded_at)
    ):
        return FieldError("after-recording", recorded=local_minute(context.recorded_at))
    return None


def _too_early(
    ledger: Ledger, values: Values, context: Context, broken: set[str | None]
) -> Iterable[Problem]:
    """An entry recorded before it happened, where no field of its own said so already."""
    place = ledger.happened or "happened_on"
    day = values.get("happened_on")
    if ledger.future or day is None or place in broken or day <= context.recorded_on:
        return ()
    return [Problem(place, "after-recording", {"recorded": local_minute(context.recorded_at)})]


def _class_error(number: int, day: date | None, context: Context) -> FieldError | None:
    item = context.class_by_id.get(number)
    if item is None:
        return FieldError("class-unknown", name=number)
    if day is not None and not item.exists_on(day):
        return FieldError("class-not-then", name=item.name, day=day.isoformat())
    return None


def _bounds_error(item: Field, value: int) -> FieldError | None:
    scale = 1000 if item.kind is Kind.THOUSANDTHS else 1
    if scale == 1000 and value <= 0:
        return FieldError("not-positive")
    if item.minimum is not None and value < item.minimum * scale:
        return FieldError("too-small", minimum=item.minimum)
    if item.maximum is not None and value > item.maximum * scale:
        return FieldError("too-large", maximum=item.maximum)
    return None
