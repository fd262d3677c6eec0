"""A roll-up whose figures are not what its own rows come to is found out."""

import msgspec
import pytest

from config.rules import product_standards
from reports.rollup.agree import disagreements
from reports.rollup.document import RollupDocument
from tests.sample_rollup import sample_city, sample_rollup

replace = msgspec.structs.replace


@pytest.mark.parametrize(
    "document", [sample_rollup(), sample_city(), sample_rollup(0)], ids=["county", "city", "none"]
)
def test_what_was_compiled_agrees_with_itself(document: RollupDocument) -> None:
    assert disagreements(document, product_standards()) == []


def school(document: RollupDocument, at: int, **changes: object) -> RollupDocument:
    rows = list(document.schools)
    rows[at] = replace(rows[at], **changes)
    return replace(document, schools=tuple(rows))


def member(document: RollupDocument, at: int, **changes: object) -> RollupDocument:
    rows = list(document.members)
    rows[at] = replace(rows[at], **changes)
    return replace(document, members=tuple(rows))


COUNTY, CITY = sample_rollup(), sample_city()
BETTER = replace(COUNTY.figures.means, own="99.99")
SENT = CITY.members[1].figures


@pytest.mark.parametrize(
    ("document", "codes"),
    [
        (school(COUNTY, 0, own="99.00", grade="优秀"), ["rollup-figures"]),
        (school(COUNTY, 0, enrolment=9), ["rollup-figures"]),
        (school(COUNTY, 0, grade="优秀"), ["rollup-figures", "rollup-grades"]),
        (school(COUNTY, 0, bureau="elsewhere"), ["rollup-members"]),
        (replace(COUNTY, schools=COUNTY.schools[1:]), ["rollup-figures"]),
        (replace(COUNTY, figures=replace(COUNTY.figures, means=BETTER)), ["rollup-figures", "rollup-trend"]),
        (replace(COUNTY, trend=COUNTY.trend[:-1]), ["rollup-trend"]),
        (member(CITY, 0, figures=SENT), ["rollup-members", "rollup-figures"]),
        (member(CITY, 1, figures=replace(SENT, means=BETTER)), ["rollup-members"]),
        (member(CITY, 1, parent="elsewhere"), ["rollup-members"]),
        (replace(CITY, members=CITY.members[:2]), ["rollup-figures"]),
        (school(replace(COUNTY, standards="other"), 1, grade="优秀"), ["rollup-figures", "standards-unknown"]),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_named(document: RollupDocument, codes: list[str]) -> None:
    assert disagreements(document, product_standards()) == codes
