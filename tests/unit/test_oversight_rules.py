"""A sample that anybody can draw again; whom a query waits for."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from reports.oversight.rules import draw, is_open, population_digest, waits_for

entries = st.lists(
    st.tuples(st.sampled_from(("drills", "food_samples")), st.uuids(version=4)), unique=True, max_size=40
)


@given(entries, st.integers(1, 50), st.text("0123456789abcdef", min_size=1, max_size=32), st.randoms())
def test_a_sample_is_drawn_again_whatever_the_order(population, size, seed, random) -> None:
    chosen = draw(population, size, seed)
    shuffled = random.sample(population, len(population))
    assert draw(shuffled, size, seed) == chosen
    assert population_digest(shuffled) == population_digest(population)
    assert len(chosen) == min(size, len(population)) == len(set(chosen))
    assert set(chosen) <= set(population)
    # A larger sample of the same seed only adds to a smaller one.
    assert draw(population, size + 5, seed)[: len(chosen)] == chosen


def test_seeds_give_different_samples_and_every_entry_has_its_chance() -> None:
    population = [("drills", UUID(int=n)) for n in range(20)]
    drawn = [draw(population, 5, str(seed)) for seed in range(400)]
    assert len({tuple(one) for one in drawn}) > 390
    often = [sum(entry in one for one in drawn) for entry in population]
    # 400 draws of a quarter each: 100 on average, with a standard deviation of 8.7.
    assert min(often) > 60
    assert max(often) < 140


def test_whom_a_query_waits_for() -> None:
    assert waits_for(["query"]) == "school"
    assert waits_for(["query", "comment"]) == "school"
    assert waits_for(["query", "answer"]) == "bureau"
    assert waits_for(["query", "answer", "settled"]) == ""
    assert waits_for(["comment", "comment"]) == ""
    assert is_open(["query", "answer"])
    assert not is_open(["comment"])
