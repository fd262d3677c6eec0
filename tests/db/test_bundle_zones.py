"""Grid zones of entries in bundles: a column that may be there, and comes back as it was."""

from pathlib import Path

from config.rules import put_in_use
from safety.database import CampusEngine, fetch_tuples
from tests.bundles import SMALL, exported, refused, small, take

put_in_use()

ZONES = {
    "campuses": "school,name\nS001,本部\nS001,东校区\nS002,本部\n",
    "zones": "school,campus,name\nS001,本部,校门\nS001,东校区,校门\nS001,本部,食堂片区\nS002,本部,操场\n",
}
HEADER, *ROWS = SMALL["zero_reports"].strip().split("\n")
NAMED = "\n".join([f"{HEADER},zone", f"{ROWS[0]},东校区/校门", f"{ROWS[1]},"]) + "\n"


async def test_a_zone_goes_in_and_comes_out_as_it_was(database: CampusEngine, tmp_path: Path) -> None:
    await take(tmp_path / "in", {**small(zero_reports=NAMED), **ZONES})
    sql = "select c.name, z.name from zero_report e join zone z on z.id = e.zone join campus c on c.id = z.campus"
    assert await fetch_tuples(None, sql) == [("东校区", "校门")]
    first = await exported(tmp_path / "out")
    header, one, two = first["zero_reports"].strip().split("\n")
    assert header.endswith(",recorded_by,submission_key,zone")
    assert (one.rpartition(",")[2], two.rpartition(",")[2]) == ("东校区/校门", "")
    # No other ledger needs the column.
    assert not first["drills"].split("\n")[0].endswith("zone")
    again = await take(tmp_path / "again", first)
    assert (again.new, again.changed) == (0, 0)
    assert (await take(tmp_path / "same", {"zero_reports": NAMED})).new == 0
    without = await take(tmp_path / "without", {"zero_reports": SMALL["zero_reports"]})
    assert (without.new, without.unchanged) == (1, 1), (
        "the row without a zone is the known one, the other is not"
    )


async def test_another_zone_under_a_known_id_is_another_content(
    database: CampusEngine, tmp_path: Path
) -> None:
    await take(tmp_path / "in", {**small(zero_reports=NAMED), **ZONES})
    first = await exported(tmp_path / "out")
    moved = first["zero_reports"].replace("东校区/校门", "食堂片区")
    assert await refused(tmp_path / "moved", {"zero_reports": moved}) == [
        ("zero_reports.csv:2:id", "entry-differs")
    ]


async def test_a_zone_that_is_not_the_schools_is_named(database: CampusEngine, tmp_path: Path) -> None:
    for zone in ("操场", "校门", "南校区/校门"):
        text = NAMED.replace("东校区/校门", zone)
        assert await refused(tmp_path / zone.replace("/", ""), {**small(zero_reports=text), **ZONES}) == [
            ("zero_reports.csv:2:zone", "zone-unknown")
        ]


async def test_what_only_follows_from_a_bad_row_of_zones_is_not_listed(
    database: CampusEngine, tmp_path: Path
) -> None:
    zones = ZONES["zones"].replace("S001,东校区,校门", "S001,西校区,校门")
    assert await refused(tmp_path, {**small(zero_reports=NAMED), **ZONES, "zones": zones}) == [
        ("zones.csv:3:campus", "campus-unknown")
    ]
