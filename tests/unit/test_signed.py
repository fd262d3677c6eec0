"""Signed answers between instances: what holds, and what does not."""

from datetime import UTC, datetime

import pytest

from reports.delivery import decided
from reports.delivery.signed import BadAnswer, check, issue
from reports.sealing.keys import SigningKey
from safety.ids import new_id
from tests.signing import new_key

KEY = new_key()
AT = datetime(2026, 10, 9, 2, 30, tzinfo=UTC)
DECISION = decided.Decision(
    new_id(), "returned", "请补充“第三周”", (decided.LineReason("T2", "缺"),), "孙经办", AT
)
BODY = decided.Body("a receipt, word for word", (DECISION,))


class Later(decided.Body, frozen=True):
    """What a newer program might say."""

    more: str = "unheard of"


@pytest.fixture(params=["ec", "rsa"])
def key(request: pytest.FixtureRequest) -> SigningKey:
    return KEY if request.param == "ec" else new_key(use_rsa=True)


def test_what_was_signed_is_read_as_it_was(key: SigningKey) -> None:
    assert check(issue(BODY, key).encode(), decided.Body, key.certificate) == BODY


def test_what_a_newer_program_adds_is_passed_over_but_signed() -> None:
    text = issue(Later(BODY.receipt, BODY.decisions), KEY)
    assert check(text.encode(), decided.Body, KEY.certificate) == BODY
    with pytest.raises(BadAnswer, match="does not fit"):
        check(text.replace("unheard", "unhurt!").encode(), decided.Body, KEY.certificate)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (issue(BODY, None), "another certificate"),
        (issue(BODY, new_key()), "another certificate"),
        (issue(BODY, KEY).replace("returned", "accepted"), "does not fit"),
        (issue(BODY, KEY).replace('"signature":"', '"signature":"*'), "cannot be read"),
        ("", "cannot be read"),
        ("[]", "cannot be read"),
    ],
)
def test_what_does_not_hold(text: str, said: str) -> None:
    with pytest.raises(BadAnswer, match=said):
        check(text.encode(), decided.Body, KEY.certificate)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(BadAnswer, match="cannot be read"):
        check(b'{"body":{},"certificate":"\xff"}', decided.Body, KEY.certificate)
