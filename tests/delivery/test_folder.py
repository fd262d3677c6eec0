"""Into a folder: whole or not at all, never over something else."""

from pathlib import Path

from reports.transports import Guarded
from reports.transports.folder import Folder
from tests.delivery.conftest import Desk

NAME = "return-S001-2026Q3-v1.pdf"


async def test_a_file_arrives_whole_and_alone(desk: Desk, tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    answer = await desk.arrives(Guarded(Folder(share)))
    assert answer == str(share / NAME)
    assert [file.name for file in share.iterdir()] == [NAME]
    assert (share / NAME).read_bytes() == await desk.content()


async def test_a_share_that_is_not_mounted_or_cannot_be_written_is_tried_again(
    desk: Desk, tmp_path: Path
) -> None:
    share = tmp_path / "share"
    way = Guarded(Folder(share))
    await desk.waits(way, "FileNotFoundError")
    assert not share.exists()
    share.symlink_to("/proc/self")  # nobody can make a file there, whatever their rights
    await desk.waits(way)
    share.unlink()
    share.mkdir()
    await desk.arrives(way)
    assert [file.name for file in share.iterdir()] == [NAME]


async def test_what_was_left_half_written_is_written_anew(desk: Desk, tmp_path: Path) -> None:
    message = await desk.message()
    (tmp_path / f".{message}.part").write_bytes(b"%PDF half")
    await desk.arrives(Guarded(Folder(tmp_path)))
    assert (tmp_path / NAME).read_bytes() == await desk.content()
    assert not (tmp_path / f".{message}.part").exists()


async def test_the_answer_was_lost_and_the_file_is_there(desk: Desk, tmp_path: Path) -> None:
    await desk.waits(Guarded(Folder(tmp_path / "nowhere")))
    (tmp_path / NAME).write_bytes(await desk.content())
    written = (tmp_path / NAME).stat().st_mtime_ns
    await desk.arrives(Guarded(Folder(tmp_path)))
    assert (tmp_path / NAME).stat().st_mtime_ns == written


async def test_another_file_of_that_name_is_never_written_over(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"somebody else's")
    assert await desk.round(Guarded(Folder(tmp_path))) == 0
    assert await desk.state() == "dead"
    assert (tmp_path / NAME).read_bytes() == b"somebody else's"


async def test_without_a_way_nothing_is_tried_and_nothing_has_failed(desk: Desk, tmp_path: Path) -> None:
    assert await desk.round(None) == 0
    assert (await desk.state(), await desk.attempts()) == ("waiting", 0)
    await desk.arrives(Guarded(Folder(tmp_path)))
