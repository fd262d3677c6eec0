"""What canteen entries answer (PURE)."""

from collections.abc import Sequence
from typing import Any

from safety.ledger.feeds import CORRECTED, Feed, Gather, Reading, Stored, StoredEvent, alone
from safety.measures import Mark, Setting, per_unit

SAMPLE_COLUMNS = ("meal", "grams", "stored_at", "discarded_at")


def _sample(row: Stored, events: Sequence[StoredEvent], setting: Setting) -> Reading:
    """A sample of a served meal: heavy enough, and kept long enough or not discarded yet."""
    meal, grams, stored_at, discarded_at = row.values
    gone = [e.happened_at for e in events if e.kind == "discarded"]
    if discarded_at is not None:
        gone.append(discarded_at)
    rules = setting.rules.on(row.day)
    kept = all(at - stored_at >= rules.sample_kept for at in gone)
    return Reading(meal, valid=meal in setting.facts.meals and grams >= rules.sample_grams and kept)


def _batch(row: Stored, events: Sequence[StoredEvent], setting: Setting) -> Reading:
    del row, events, setting
    return Reading()


def _sample_marks(rows: Sequence[tuple[Any, ...]], setting: Setting) -> list[Mark]:
    rules_on, meals = setting.rules.on, setting.facts.meals
    return [
        Mark(None, day, meal, timed)
        for _, day, meal, grams, timed in rows
        if meal in meals and grams >= rules_on(day).sample_grams
    ]


def _batch_marks(rows: Sequence[tuple[Any, ...]], setting: Setting) -> list[Mark]:
    del setting
    return [Mark(None, day, None, timed) for _, day, timed in rows]


# The grams that a meal's samples have in common are few, so grouping by them still gathers the dishes.
SAMPLES = Gather(
    ("e.happened_on", "e.meal", "e.grams", 'min(e.timed_on) as "timed [date]"'),
    _sample_marks,
    group=("e.happened_on", "e.meal", "e.grams"),
    apart=f"e.discarded_at is not null or {CORRECTED}",
    weighs_events=True,
)
BATCHES = Gather(
    ("e.happened_on", 'min(e.timed_on) as "timed [date]"'),
    _batch_marks,
    group=("e.happened_on",),
    apart=CORRECTED,
)

SAMPLE_FEEDS = (Feed("food.samples", alone(per_unit), _sample, gather=SAMPLES),)
BATCH_FEEDS = (Feed("food.purchases", alone(per_unit), _batch, gather=BATCHES),)
