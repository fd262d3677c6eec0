"""A sealed return has one file, on both databases: whoever makes it, however often it is asked for."""

import asyncio
import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from reports import files, press
from reports.jobs import close
from reports.press import Press, sealed_file
from safety.database import fetch_tuples
from safety.errors import NotFound
from safety.ids import new_id
from tests.cast import Cast
from tests.db.test_returns import CLOSE, Q3, QuickRenderer, county, me
from tests.db.test_returns import press as quick_press
from tests.signing import new_key

__all__ = ["county", "quick_press"]
ROWS = "select sealed, bytes_digest, size, fingerprint from sealed_file order by sealed"
RETURNS = "select id from school_return order by id"


class SmallPdf(QuickRenderer):
    """Draws a page without anything on it, another one each time: only the row can make them the same."""

    async def render_return(self, document, lang="zh") -> bytes:
        from tests.small_pdf import small_pdf

        await super().render_return(document, lang)
        return small_pdf(f"{document.school.code} {len(self.drawn)}")


@pytest.fixture
def signing(tmp_path: Path) -> Press:
    return Press(tmp_path, SmallPdf(tmp_path), me(), key=new_key())


async def a_return(county: Cast, press: Press) -> object:
    await close(press, Q3, CLOSE)
    return (await fetch_tuples(None, RETURNS))[0][0]


async def test_every_delivered_return_has_its_file(county: Cast, signing: Press) -> None:
    await close(signing, Q3, CLOSE)
    kept = await fetch_tuples(None, ROWS)
    received = await fetch_tuples(None, "select bytes_digest, size from inbox_item")
    assert sorted(row[1:3] for row in kept) == sorted(received)
    assert len(kept) == 3
    assert signing.key is not None
    for _, digest, size, fingerprint in kept:
        content = files.read(signing.data, digest)
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (digest, size)
        assert b"/ETSI.CAdES.detached" in content
        assert fingerprint == signing.key.fingerprint


async def test_asked_again_it_is_the_same_file_and_nothing_is_drawn(county: Cast, signing: Press) -> None:
    id_ = await a_return(county, signing)
    drawn = list(signing.renderer.drawn)
    first = await sealed_file(signing, id_, CLOSE)
    again = await sealed_file(signing, id_, CLOSE + timedelta(days=1))
    assert first == again
    assert signing.renderer.drawn == drawn


async def test_two_at_once_come_to_one_file(
    county: Cast, signing: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = await a_return(county, signing)
    await fetch_tuples(None, "delete from sealed_file")
    both = await asyncio.gather(*(sealed_file(signing, id_, CLOSE) for _ in range(3)))
    assert len(set(both)) == 1
    assert await fetch_tuples(None, "select count(*) from sealed_file") == [(1,)]
    assert files.read(signing.data, both[0].bytes_digest)


async def test_cut_off_before_its_row_it_is_made_again(
    county: Cast, signing: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = await a_return(county, signing)
    await fetch_tuples(None, "delete from sealed_file")
    monkeypatch.setattr(press, "SAVE", "no sql at all")
    with pytest.raises(Exception, match="no"):
        await sealed_file(signing, id_, CLOSE)
    assert await press.file_of(id_) is None
    monkeypatch.undo()
    made = await sealed_file(signing, id_, CLOSE)
    assert files.read(signing.data, made.bytes_digest)


async def test_of_nothing_there_is_no_file(county: Cast, signing: Press) -> None:
    with pytest.raises(NotFound):
        await sealed_file(signing, new_id(), CLOSE)
