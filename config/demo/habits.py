"""How carefully a school's people keep their records: shares between 0 and 1."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habits:
    """`…_done`: of what is due, how much is ever recorded; `late`: of that, how much after its time."""

    reminders: float
    sessions: float
    zero_reports: float
    checkins: float
    rounds: int
    samples: float
    purchases: float
    drills: float
    evaluated: float
    late: float
    backfilled: float
    ahead: float
    """Of the weeks, how many have their roster before they begin."""
    small_samples: float
    typos: float
    awareness: float
    """Of the classes, how many are checked in a quarter."""
    discards: bool
    """Whether the canteen writes down when it throws a sample away."""
    signs: bool = True


DILIGENT = Habits(
    reminders=0.995,
    sessions=1,
    zero_reports=0.995,
    checkins=0.99,
    rounds=5,
    samples=0.995,
    purchases=1,
    drills=1,
    evaluated=1,
    late=0.01,
    backfilled=0,
    ahead=1,
    small_samples=0,
    typos=0.004,
    awareness=1,
    discards=True,
)
ORDINARY = Habits(
    reminders=0.97,
    sessions=0.98,
    zero_reports=0.985,
    checkins=0.96,
    rounds=5,
    samples=0.98,
    purchases=0.97,
    drills=0.9,
    evaluated=0.9,
    late=0.04,
    backfilled=0.01,
    ahead=0.97,
    small_samples=0.01,
    typos=0.008,
    awareness=0.6,
    discards=False,
)
BUSY = Habits(
    reminders=0.92,
    sessions=0.95,
    zero_reports=0.97,
    checkins=0.9,
    rounds=4,
    samples=0.95,
    purchases=0.9,
    drills=0.8,
    evaluated=0.7,
    late=0.15,
    backfilled=0.03,
    ahead=0.9,
    small_samples=0.02,
    typos=0.01,
    awareness=0.4,
    discards=False,
)
SLOPPY = Habits(
    reminders=0.72,
    sessions=0.82,
    zero_reports=0.86,
    checkins=0.72,
    rounds=3,
    samples=0.82,
    purchases=0.75,
    drills=0.6,
    evaluated=0.4,
    late=0.2,
    backfilled=0.06,
    ahead=0.75,
    small_samples=0.06,
    typos=0.012,
    awareness=0.2,
    discards=False,
    signs=False,
)
