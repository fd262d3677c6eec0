"""The four ways in which the product says no.

They carry codes and values, never sentences: whoever shows them (a form, the API, the command line) finds the
sentence under `problem.<code>` in the catalogue, in the reader's language.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


@dataclasses.dataclass(frozen=True)
class Problem:
    """One thing wrong with what was given.

    `field` names the place (a form field, `file.csv:12:present`); None is the input as a whole. `code` is the
    catalogue key without `problem.`; `values` fill its placeholders.
    """

    field: str | None
    code: str
    values: dict[str, Any] = dataclasses.field(default_factory=dict)


class Refusal(Exception):
    """Base of all refusals; `status` is the HTTP status that says the same."""

    status: ClassVar[int] = 400


class BadInput(Refusal):
    """What was given cannot be used; every problem found is listed, not just the first."""

    status = 400

    def __init__(self, problems: Sequence[Problem]) -> None:
        if not problems:
            raise ValueError("BadInput needs at least one problem")
        super().__init__("; ".join(f"{found.field or '-'}: {found.code}" for found in problems))
        self.problems: list[Problem] = list(problems)

    @classmethod
    def one(cls, field: str | None, code: str, /, **values: Any) -> BadInput:
        """The common case of a single problem."""
        return cls([Problem(field, code, values)])


class _Coded(Refusal):
    default_code: ClassVar[str]

    def __init__(self, code: str | None = None, values: Mapping[str, Any] | None = None) -> None:
        self.code = code or self.default_code
        self.values: dict[str, Any] = dict(values or {})
        super().__init__(self.code)


class NotAllowed(_Coded):
    """The person is known, but may not do this."""

    status = 403
    default_code = "not-allowed"


class NotFound(_Coded):
    """There is no such thing, or none that this person may know of: the two are told apart to nobody."""

    status = 404
    default_code = "not-found"


class Conflict(_Coded):
    """It was possible before, but something done since stands in the way."""

    status = 409
    default_code = "conflict"
