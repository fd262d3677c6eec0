"""No suppressed number can be worked out: worlds that differ in one give the same documents, at every level."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.rollup.compile import BureauFound, Making, compile_rollup
from reports.rollup.document import IncidentRow, RollupDocument
from reports.rollup.incidents import PEOPLE, SEVERITIES
from reports.rollup.suppression import Bounds, is_small, printed, read, suppressed, total
from tests.sample_rollup import CITY, MADE_AT, gathered, incident, school

MAKING = Making(MADE_AT)
World = dict[str, list[str]]
"""By bureau, the severity of each of its incidents of the sensitive kind; a facility incident stands beside each."""


def sensitive(document: RollupDocument) -> IncidentRow:
    return next(row for row in document.incidents if row.category == "mental_health")


def county(code: str, severities: list[str]) -> RollupDocument:
    return compile_rollup(gathered((_school(code, severities),), bureau=BureauFound(code, code)), MAKING)


def _school(code: str, severities: list[str]):
    ills = [
        incident("mental_health", None if s == "none" else s, n, affected="<5")
        for n, s in enumerate(severities)
    ]
    return school(1, bureau=code, incidents=(*ills, incident("facility", "ordinary", 99, affected=7)))


def published(world: World, remote: frozenset[str]) -> dict[str, RollupDocument]:
    """Everything that anybody gets: every county's roll-up, and the city's made of the received and of its own."""
    found = {code: county(code, severities) for code, severities in world.items()}
    below = tuple(
        BureauFound(
            code, code, CITY.code, remote=code in remote, received=found[code] if code in remote else None
        )
        for code in world
    )
    own = tuple(_school(code, severities) for code, severities in world.items() if code not in remote)
    return found | {"city": compile_rollup(gathered(own, bureau=CITY, above=None, below=below), MAKING)}


severities = st.lists(st.sampled_from(SEVERITIES), max_size=9)
worlds = st.dictionaries(st.sampled_from("ABCD"), severities, min_size=1)
remotes = st.frozensets(st.sampled_from("ABCD"))


@settings(deadline=None, max_examples=60)
@given(worlds, remotes)
def test_every_suppressed_count_may_be_any_from_one_to_four(world: World, remote: frozenset[str]) -> None:
    documents = published(world, remote)
    for code, known in world.items():
        if not 1 <= len(known) <= 4:
            continue
        assert sensitive(documents[code]).count == "<5"
        for other in range(1, 5):
            assert published(world | {code: ["none"] * other}, remote) == documents


@settings(deadline=None, max_examples=60)
@given(worlds, remotes)
def test_every_withheld_severity_may_be_another(world: World, remote: frozenset[str]) -> None:
    documents = published(world, remote)
    for code, known in world.items():
        for name in SEVERITIES:
            count = known.count(name)
            if len(known) < 5 or not 1 <= count <= 4:
                continue
            assert sensitive(documents[code]).severities is None
            others = [item for item in known if item != name]
            for other in range(1, 5):
                # As many in all, another number of this severity: nobody can tell.
                filler = (others * 5 + ["none" if name != "none" else "ordinary"] * 9)[: len(known) - other]
                assert published(world | {code: [name] * other + filler}, remote) == documents


@settings(deadline=None, max_examples=60)
@given(worlds, remotes)
def test_what_is_not_small_is_told_exactly_and_zero_is_zero(world: World, remote: frozenset[str]) -> None:
    documents = published(world, remote)
    for code, known in world.items():
        if len(known) >= 5 or not known:
            assert sensitive(documents[code]).count == len(known)
    if not any(1 <= len(known) <= 4 for known in world.values()):
        assert sensitive(documents["city"]).count == sum(map(len, world.values()))
    facility = next(row for row in documents["city"].incidents if row.category == "facility")
    assert facility.count == len(world)


@settings(deadline=None, max_examples=60)
@given(worlds, remotes)
def test_the_true_sum_lies_in_the_range_that_is_printed(world: World, remote: frozenset[str]) -> None:
    bounds = read(sensitive(published(world, remote)["city"]).count)
    assert bounds.least <= sum(map(len, world.values())) <= bounds.most


@settings(deadline=None, max_examples=60)
@given(worlds, remotes)
def test_people_stand_only_beside_a_count_that_is_told(world: World, remote: frozenset[str]) -> None:
    for document in published(world, remote).values():
        row = sensitive(document)
        if is_small(row.count):
            assert [getattr(row, name) for name in PEOPLE] == [None] * 4
            assert row.severities is None


@pytest.mark.parametrize(
    ("figures", "said"),
    [([], 0), ([0, 0], 0), ([5, 0], 5), (["<5"], "<5"), (["<5", 0], "<5"), (["<5", "<5"], "2-8"), (["<5", 6], "7-10"),
     (["2-8", "<5", 1], "4-13")],
)  # fmt: skip
def test_sums_know_no_more_than_their_parts_say(figures: list[int | str], said: int | str) -> None:
    assert total(figures) == said


@pytest.mark.parametrize(("count", "said"), [(0, 0), (1, "<5"), (4, "<5"), (5, 5), (60, 60)])
def test_one_to_four_are_withheld(count: int, said: int | str) -> None:
    assert suppressed(count) == said


@given(st.integers(0, 50), st.integers(0, 50))
def test_what_is_printed_is_read_as_no_less_than_was_known(least: int, more: int) -> None:
    known = Bounds(least, least + more)
    back = read(printed(known))
    assert back.least <= known.least
    assert back.most >= known.most or known.most < 5


@pytest.mark.parametrize("figure", ["", "<4", "5-", "-5", "a-b", "5"])
def test_nonsense_is_no_figure(figure: str) -> None:
    with pytest.raises(ValueError, match="not a figure"):
        read(figure)
