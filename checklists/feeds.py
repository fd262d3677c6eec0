"""What canteen entries answer (PURE)."""

from collections.abc import Sequence

from safety.ledger.feeds import Feed, Gather, Reading, Stored, StoredEvent, alone
from safety.measures import Setting, per_unit

SAMPLE_COLUMNS = ("meal", "grams", "stored_at", "discarded_at")


def _sample(row: Stored, events: Sequence[StoredEvent], setting: Setting) -> Reading:
    """A sample of a served meal: heavy enough, and kept long enough or not discarded yet."""
    meal, grams, stored_at, discarded_at = row.values
    gone = [e.happened_at for e in events if e.kind == "discarded"]
    if discarded_at is not None:
        gone.append(discarded_at)
    kept = all(at - stored_at >= setting.rules.sample_kept or at > setting.at for at in gone)
    return Reading(meal, valid=meal in setting.facts.meals and grams >= setting.rules.sample_grams and kept)


def _batch(row: Stored, events: Sequence[StoredEvent], setting: Setting) -> Reading:
    del row, events, setting
    return Reading()


SAMPLE_FEEDS = (Feed("food.samples", alone(per_unit), _sample),)
BATCH_FEEDS = (Feed("food.purchases", alone(per_unit), _batch, gather=Gather()),)
