import uuid

import pytest

from safety.errors import BadInput, Conflict, NotAllowed, NotFound, Problem
from safety.ids import new_id


def test_ids_are_of_version_seven_and_sort_as_made() -> None:
    made = [new_id() for _ in range(2000)]
    assert type(made[0]) is uuid.UUID
    assert {one.version for one in made} == {7}
    assert made == sorted(made)
    assert len(set(made)) == 2000


def test_bad_input_lists_every_problem() -> None:
    problems = [Problem("present", "too-many", {"most": 30}), Problem(None, "empty")]
    error = BadInput(problems)
    assert error.problems == problems
    assert str(error) == "present: too-many; -: empty"


def test_bad_input_without_a_problem_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        BadInput([])


def test_one_problem_is_said_shortly() -> None:
    assert BadInput.one("grams", "too-few", least=125).problems == [
        Problem("grams", "too-few", {"least": 125})
    ]


@pytest.mark.parametrize(("kind", "status"), [(NotAllowed, 403), (NotFound, 404), (Conflict, 409)])
def test_each_refusal_has_its_status_and_a_code(kind: type[NotFound], status: int) -> None:
    assert kind.status == status
    assert kind().code == kind.default_code
    assert kind("closed-quarter", {"period": "2026Q3"}).values == {"period": "2026Q3"}
