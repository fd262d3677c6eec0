"""A sealed return's English translation, drawn when a reader asks for it."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from litestar import Litestar

from reports.actions import seal
from safety.calendar import Period
from safety.clock import FixedClock
from safety.duties import close_at
from tests.cast import Cast
from tests.county import make_county
from tests.web.conftest import Visit

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
MORNING = CLOSE + timedelta(hours=10)
PAGE = "/schools/S001/returns/2026Q3"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(MORNING)


def words(pdf: bytes) -> str:
    return subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()


async def test_it_is_drawn_from_the_sealed_document(
    app: Litestar, visit: Visit, cast: Cast, tmp_path: Path
) -> None:
    await make_county(cast, CLOSE - timedelta(hours=5))
    await seal(cast.school, Q3, CLOSE)
    principal = await (await visit()).as_(cast["principal"], MORNING)
    assert f"{PAGE}/versions/1/english" in (await principal.get(PAGE)).text
    try:
        answer = await principal.get(f"{PAGE}/versions/1/english?download=1")
    finally:
        await app.state.renderer.close()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="return-S001-2026Q3-v1-en.pdf"'
    text = words(answer.content)
    assert "TRANSLATION" in text
    assert "Report on safe-campus work" in text
    assert (await principal.get(f"{PAGE}/versions/2/english")).status_code == 404
