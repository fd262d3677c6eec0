"""What the canteen writes: samples kept, batches bought."""

from collections.abc import Sequence
from datetime import date, timedelta

from config.demo.acts import Add, DemoSchool, Mend, Refused, Values, Write, at
from config.demo.people import Person
from config.demo.texts import CORRECTIONS, DISHES, GOODS, Good

SERVED = {"breakfast": (6, 40), "lunch": (11, 25), "supper": (17, 15)}
DISHES_OF_LUNCH = 2
BUYING_DAYS = (0, 3)


def plan(school: DemoSchool, days: Sequence[date]) -> None:
    """The canteen's entries of some school days."""
    if not school.staff.cooks:
        return
    for day in days:
        for meal in school.plan.profile.meals:
            _samples(school, day, meal)
        if day.weekday() in BUYING_DAYS or day == days[0]:
            _purchases(school, day)


# ---------------------------------------------------------------- samples
def _samples(school: DemoSchool, day: date, meal: str) -> None:
    habits = school.plan.profile.habits
    dishes = school.random.sample(DISHES[meal], DISHES_OF_LUNCH if meal == "lunch" else 1)
    cook = school.staff.cooks[day.toordinal() % len(school.staff.cooks)]
    if not school.chance(habits.samples):
        return
    for n, dish in enumerate(dishes):
        _sample(school, day, meal, dish, cook, n)


def _sample(school: DemoSchool, day: date, meal: str, dish: str, cook: Person, n: int) -> None:
    habits = school.plan.profile.habits
    stored_at = at(day, *SERVED[meal]) + timedelta(seconds=school.random.randrange(600) + 90 * n)
    grams = school.random.choice((125, 130, 130, 135, 140, 150))
    values: Values = {
        "happened_on": day, "meal": meal, "dish": dish, "grams": grams, "stored_at": stored_at, "discarded_at": None,
        "person": cook.id,
    }  # fmt: skip
    name = f"sample:{day}:{meal}:{n}"
    moment = stored_at + timedelta(minutes=school.random.randint(1, 25))
    if school.chance(habits.late):
        moment = school.some_time(day + timedelta(days=school.random.randint(1, 3)), 14)
    if school.chance(habits.small_samples):
        values["grams"] = school.random.choice((80, 95, 100, 110))
    if school.chance(habits.typos * 2) and values["grams"] >= 125:
        school.will(moment, Write(cook, "food_samples", values | {"grams": values["grams"] * 10}, name))
        why = school.random.choice(CORRECTIONS[1:3])
        school.will(moment + timedelta(minutes=12), Mend(cook, "food_samples", name, values, why))
    else:
        school.will(moment, Write(cook, "food_samples", values, name))
    if habits.discards and n == 0 and meal == "lunch":
        gone = stored_at + timedelta(hours=48, minutes=school.random.randint(20, 300))
        school.will(max(gone, moment), Add(cook, "food_samples", name, "discarded"))


# ---------------------------------------------------------------- purchases
def _purchases(school: DemoSchool, day: date) -> None:
    if not school.chance(school.plan.profile.habits.purchases):
        return
    cook = school.staff.cooks[0]
    for n, good in enumerate(school.random.sample(GOODS, 3)):
        moment = school.some_time(day, 7) + timedelta(minutes=4 * n)
        values = _batch(school, day, good)
        if school.chance(0.02):
            # Delivered without its certificate: refused on the spot, taken in once the paper is there.
            school.will(moment, Refused(cook, "purchase_batches", values | {"certificate_no": None}))
            moment += timedelta(minutes=school.random.randint(40, 200))
        elif school.chance(school.plan.profile.habits.late):
            moment = school.some_time(day + timedelta(days=school.random.randint(1, 6)), 15)
        school.will(moment, Write(cook, "purchase_batches", values))


def _batch(school: DemoSchool, day: date, good: Good) -> Values:
    fresh = good.life is None
    age = 0 if fresh else school.random.randint(0, max(1, min(good.life or 1, 40) // 3))
    hundreds = max(1, school.facts.enrolments[-1][1]) / 100
    number = f"{day:%y%m%d}{school.random.randrange(1000):03}"
    quantity = max(1, round(good.quantity * hundreds * school.random.uniform(0.7, 1.2)))
    half = 500 if good.unit in {"kg", "L"} and school.chance(0.3) else 0
    return {
        "happened_on": day, "item": good.item, "quantity": quantity * 1000 + half, "unit": good.unit,
        "maker": good.maker, "produced_on": day - timedelta(days=age), "shelf_life_days": good.life,
        "supplier": good.supplier, "certificate_no": f"HG{number}", "invoice_no": f"FP{number}",
    }  # fmt: skip
