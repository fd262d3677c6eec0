"""A sealed return's file on its page: awaited, made, or not to be made; read there, or kept."""

from datetime import timedelta
from pathlib import Path

import pytest

from reports.actions import seal
from reports.jobs import deliver_due
from reports.pdf import Renderer, RenderError
from reports.press import Press
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.jobs.owner import me
from tests.cast import Browser, Cast
from tests.county import make_county
from tests.web.conftest import Visit

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
PAGE = "/schools/S001/returns/2026Q3"
FILE = f"{PAGE}/versions/1/pdf"
REFRESH = 'http-equiv="refresh" content="{}"'


class QuickRenderer(Renderer):
    async def render_return(self, document, lang="zh", verify_url="") -> bytes:
        return b"%PDF-1.7"


class BrokenRenderer(Renderer):
    async def render_return(self, document, lang="zh", verify_url="") -> bytes:
        raise RenderError("glyph", "no font for 㛃")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(CLOSE)


@pytest.fixture
async def principal(visit: Visit, cast: Cast) -> Browser:
    """The quarter has just been sealed, and nothing drawn."""
    await make_county(cast, CLOSE - timedelta(hours=5))
    await seal(cast.school, Q3, CLOSE)
    return await (await visit()).as_(cast["principal"], CLOSE)


async def test_a_file_that_is_awaited_says_so_and_the_page_looks_again_by_itself(principal: Browser) -> None:
    drawn = (await principal.get(PAGE)).text
    assert "正在生成 PDF，通常在一分钟内完成" in drawn
    assert REFRESH.format(10) in drawn
    assert FILE not in drawn
    assert f'action="{PAGE}/scans"' not in drawn


async def test_a_file_that_was_not_made_says_why_and_when_it_is_tried_again(
    principal: Browser, tmp_path: Path
) -> None:
    await deliver_due(Press(tmp_path, BrokenRenderer(tmp_path), me()), CLOSE)
    drawn = (await principal.get(PAGE)).text
    said = "PDF 暂未生成。排版或字体出错，文件还没有制成。系统将于2026年10月1日 00:00再试"
    assert said in drawn
    assert "RenderError" not in drawn, "a person is told why in a sentence"
    assert REFRESH.format(60) in drawn
    await fetch_tuples(None, "update outbox set state = 'dead'")
    dead = (await principal.get(PAGE)).text
    assert "系统不再重试" in dead
    assert "http-equiv" not in dead


async def test_without_a_way_nobody_waits_for_a_file(principal: Browser) -> None:
    await fetch_tuples(None, "update bureau set elsewhere = true")
    drawn = (await principal.get(PAGE)).text
    assert "没有设置通往上级的报送通道" in drawn
    assert "http-equiv" not in drawn


async def test_a_file_is_read_there_or_kept(principal: Browser, tmp_path: Path) -> None:
    await deliver_due(Press(tmp_path, QuickRenderer(tmp_path), me()), CLOSE)
    drawn = (await principal.get(PAGE)).text
    assert "http-equiv" not in drawn
    for link, way in ((FILE, "inline"), (f"{FILE}?download=1", "attachment")):
        assert f'href="{link}"' in drawn
        answer = await principal.get(link)
        assert answer.content == b"%PDF-1.7"
        assert answer.headers["content-disposition"] == f'{way}; filename="return-S001-2026Q3-v1.pdf"'
