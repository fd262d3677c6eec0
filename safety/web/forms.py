"""What a form was sent with and what is wrong with it, so that a page can show both again."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from litestar import Response

from safety.errors import BadInput, Problem
from safety.text import Catalogue
from safety.web.errors import problem_text
from safety.web.kernel import kernel_of
from safety.web.pages import go_to
from safety.web.visit import WebRequest, visit_of

SECRET_FIELDS = frozenset({"password", "old", "new", "again", "_csrf_token"})


@dataclass(frozen=True)
class FormState:
    """Values as typed (never passwords) and sentences by field; the sentence under `None` belongs to the
    whole form.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str | None, str] = field(default_factory=dict)

    def value(self, name: str, default: Any = "") -> str:
        """What was typed into a field."""
        return self.values.get(name, "" if default is None else str(default))

    def error(self, name: str | None = None) -> str:
        """What is wrong with a field (None: with the form), or an empty text."""
        return self.errors.get(name, "")

    @property
    def key(self) -> str:
        """The submission key that came with the form: sent again with the corrected values."""
        return self.values.get("submission_key", "")


async def form_values(request: WebRequest) -> dict[str, str]:
    """The text fields of a posted form, trimmed; the last one of several with the same name.

    NUL, which no keyboard types and not every database keeps, is dropped.
    """
    form = await request.form()
    return {
        name: value.replace("\0", "").strip() for name, value in form.multi_items() if isinstance(value, str)
    }


async def raw_value(request: WebRequest, name: str) -> str:
    """One text field exactly as sent (passwords may begin with a space); empty when missing."""
    given = (await request.form()).get(name, "")
    return given if isinstance(given, str) else ""


def form_state(
    request: WebRequest, values: Mapping[str, str] | None = None, problems: Iterable[Problem] = ()
) -> FormState:
    """What a template shows again after `problems`, in the visitor's language."""
    catalogue: Catalogue = kernel_of(request).pages.catalogue
    lang = visit_of(request).lang
    errors: dict[str | None, str] = {}
    for problem in problems:
        said = problem_text(catalogue, problem, lang)
        errors[problem.field] = f"{errors[problem.field]} {said}" if problem.field in errors else said
    kept = {name: value for name, value in (values or {}).items() if name not in SECRET_FIELDS}
    return FormState(kept, errors)


async def save_or_show(
    request: WebRequest,
    typed: Mapping[str, str],
    saving: Awaitable[object],
    show: Callable[[FormState, int], Awaitable[Response[str]]],
    then: str,
    notice: str = "settings-saved",
) -> Response[str]:
    """What every small form answers: on to `then` once it is saved, or the form again (400) with what is wrong."""
    try:
        await saving
    except BadInput as error:
        return await show(form_state(request, typed, error.problems), 400)
    return go_to(then, notice)
