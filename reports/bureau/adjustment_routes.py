"""A school's own score and the bureau's beside it: where a clerk adjusts, the school appeals, the bureau answers."""

from collections.abc import Awaitable, Callable, Mapping

from litestar import Response, Router, get, post
from litestar.params import FromPath

from reports import queries
from reports.bureau import adjustments
from reports.rollup.pages import has_way, state_of
from safety import in_use
from safety.calendar import Period
from safety.duties import close_at
from safety.errors import BadInput, Conflict, Problem
from safety.places.facts import school_facts
from safety.rulebook import Rulebook
from safety.web.forms import FormState, form_state, form_values
from safety.web.guards import at_school
from safety.web.pages import go_to, page
from safety.web.quarters import quarters_of
from safety.web.score_view import grade_kind
from safety.web.visit import Visit, WebRequest, visit_of

Page = Response[str]
READERS = ("officer", "principal", "leader", "clerk")
WRITERS = ("officer", "principal", "clerk")
ADDRESS = "/schools/{code:str}/adjustments/{period:str}"


async def draw_adjustments(
    request: WebRequest, base: str, named: str, form: FormState | None = None, status: int = 200
) -> Page:
    """A school's adjustments of a quarter, wherever the page stands; `base` is the school's address there."""
    visit, quarters = visit_of(request), quarters_of(request, named)
    history = await adjustments.steps(visit.viewer, visit.school, quarters.shown)
    sent = await queries.sent(visit.viewer, visit.school, quarters.shown)
    own = sent[0].total if sent else None
    vetoed = bool(sent) and await _vetoed(visit, quarters.shown)
    sheet = Rulebook.of(in_use.standards(), quarters.shown).sheet
    adjusted = history[0].total if history else None
    inspects = base.startswith("/inspect")
    may = frozenset() if inspects else _may(visit, history)
    facts = await school_facts(visit.school)
    bureau = _bureau(visit, facts.bureau)
    return page(
        request,
        "adjustments.html",
        status,
        facts=facts,
        base=base,
        quarters=quarters,
        closed=visit.now >= close_at(quarters.shown),
        returned=bool(sent),
        own=own,
        adjusted=adjusted,
        grades=[None if total is None else sheet.grade(total, vetoed) for total in (own, adjusted)],
        kind_of=lambda step: grade_kind(step, sheet),
        vetoed=vetoed,
        history=history,
        may=may,
        rollup=await state_of(facts.bureau, quarters.shown, upward=has_way(request)) if bureau else None,
        rollup_at=f"{'/inspect' if inspects else ''}/bureaus/{bureau}/rollups",
        remake="adjust" in may,
        form_of=lambda what: form if form and form.value("what") == what else FormState(),
        # A form that is not offered any more cannot say itself why not.
        failed=form.error() if form and form.value("what") not in may else "",
    )


def _bureau(visit: Visit, bureau_id: int) -> str:
    """The code of the school's bureau, for those who see that bureau's pages; empty for anybody else."""
    if not visit.viewer.may_bureau(bureau_id):
        return ""
    return next(code for code, number in visit.viewer.bureau_codes.items() if number == bureau_id)


async def _vetoed(visit: Visit, period: Period) -> bool:
    document = await queries.document(visit.viewer, visit.school, period)
    return document is not None and bool(document.score.veto)


def _may(visit: Visit, history: list[adjustments.Step]) -> frozenset[str]:
    """Which of the page's forms this visitor gets."""
    roles = visit.viewer.roles_at(visit.school)
    stands = bool(history) and history[0].total is not None
    found = {
        "adjust": "clerk" in roles,
        "withdraw": "clerk" in roles and stands,
        "answer": "clerk" in roles and any(step.appeal and not step.answer for step in history),
        "appeal": bool(roles & {"officer", "principal"}) and stands and history[0].appeal is None,
    }
    return frozenset(name for name, allowed in found.items() if allowed)


@get(ADDRESS, guards=[at_school(*READERS)])
async def adjustment_page(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Page:
    """Both scores, how the bureau's came about, and what one may do about it."""
    return await draw_adjustments(request, f"/schools/{code}", period)


# ---------------------------------------------------------------- what may be sent from it
Typed = Mapping[str, str]


async def _adjust(visit: Visit, period: Period, typed: Typed) -> None:
    total = adjustments.read_points(typed.get("total", ""))
    await adjustments.adjust(
        visit.viewer, visit.school, period, total, typed.get("reason", ""), _key(typed), visit.now
    )


async def _withdraw(visit: Visit, period: Period, typed: Typed) -> None:
    reason = typed.get("reason", "")
    await adjustments.adjust(visit.viewer, visit.school, period, None, reason, _key(typed), visit.now)


async def _appeal(visit: Visit, period: Period, typed: Typed) -> None:
    text = typed.get("text", "")
    await adjustments.appeal(visit.viewer, visit.school, period, text, _key(typed), visit.now)


async def _answer(visit: Visit, period: Period, typed: Typed) -> None:
    outcome, reason = typed.get("outcome", ""), typed.get("reason", "")
    await adjustments.answer(visit.viewer, visit.school, period, outcome, reason, _key(typed), visit.now)


def _key(typed: Typed) -> str:
    return typed.get("submission_key", "")


DEEDS: dict[str, tuple[Callable[[Visit, Period, Typed], Awaitable[None]], str]] = {
    "adjust": (_adjust, "adjustment-saved"),
    "withdraw": (_withdraw, "adjustment-withdrawn"),
    "appeal": (_appeal, "appeal-sent"),
    "answer": (_answer, "appeal-answered"),
}
"""What each form does, and what is said when it is done."""


@post(ADDRESS, guards=[at_school(*WRITERS)], status_code=200)
async def change(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Page:
    """What one of the page's forms says; `what` names the form."""
    visit, quarter = visit_of(request), quarters_of(request, period).shown
    typed = await form_values(request)
    what = typed.get("what", "")
    try:
        if what not in DEEDS:
            raise BadInput.one(None, "adjustment-unknown")
        do, notice = DEEDS[what]
        await do(visit, quarter, typed)
    except BadInput as error:
        return await _again(request, code, period, form_state(request, typed, error.problems), 400)
    except Conflict as error:
        # What was typed is kept, the key is not: it belongs to a form that was answered.
        kept = {name: value for name, value in typed.items() if name != "submission_key"}
        problem = Problem(None, error.code, error.values)
        return await _again(request, code, period, form_state(request, kept, [problem]), 409)
    return go_to(f"/schools/{code}/adjustments/{quarter.id}", notice)


async def _again(request: WebRequest, code: str, period: str, form: FormState, status: int) -> Page:
    return await draw_adjustments(request, f"/schools/{code}", period, form, status)


ROUTER = Router("/", route_handlers=[adjustment_page, change])
