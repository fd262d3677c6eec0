"""`safe-campus return make`: a draft before the close, after it the sealed file, the same bytes every time."""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config.rules import put_in_use
from reports import actions
from safety.calendar import Period
from safety.database import CampusEngine, fetch_tuples
from safety.duties import close_at
from tests.cast import Cast, make_cast
from tests.county import make_county

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
PROGRAM = [sys.executable, "-c", "from config.cli import main; main()"]


@pytest.fixture
async def county(database: CampusEngine) -> Cast:
    put_in_use()
    cast = await make_cast(CLOSE - timedelta(days=40))
    await make_county(cast, CLOSE)
    return cast


def make(url: str, folder: Path, now: datetime, name: str, *more: str) -> dict[str, object]:
    """Run the command as if it were `now`; what it says, as JSON."""
    clock = folder / "clock"
    clock.write_text(now.isoformat(), encoding="ascii")
    environ = {
        "SAFE_CAMPUS_DATABASE": url,
        "SAFE_CAMPUS_DATA": str(folder),
        "SAFE_CAMPUS_TEST_CLOCK": str(clock),
    }
    arguments = ["return", "make", "S001", "2026Q3", "-o", str(folder / name), "--json", *more]
    done = subprocess.run(
        [*PROGRAM, *arguments], env=os.environ | environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_make_writes_the_draft_and_then_always_the_sealed_file(
    county: Cast, database_url: str, tmp_path: Path
) -> None:
    draft = make(database_url, tmp_path, CLOSE - timedelta(hours=2), "draft.pdf")
    assert draft["draft"] is True
    assert (tmp_path / "draft.pdf").read_bytes().startswith(b"%PDF-")
    await actions.seal(county.school, Q3, CLOSE)
    first = make(database_url, tmp_path, CLOSE, "first.pdf")
    again = make(database_url, tmp_path, CLOSE + timedelta(days=3), "again.pdf")
    assert (first["draft"], first["version"]) == (False, 1)
    assert first["facts_digest"] == again["facts_digest"]
    assert (tmp_path / "first.pdf").read_bytes() == (tmp_path / "again.pdf").read_bytes()
    rows = await fetch_tuples(None, "select size from sealed_file")
    assert rows == [((tmp_path / "first.pdf").stat().st_size,)]
    english = make(database_url, tmp_path, CLOSE, "english.pdf", "--lang", "en")
    assert english["facts_digest"] == first["facts_digest"]
    assert (tmp_path / "english.pdf").read_bytes() != (tmp_path / "first.pdf").read_bytes()
