"""What sealed files say is read once; a file that cannot be read is told once, and read when another stands there."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from reports import files
from reports.remembered import Remembered

asked: list[str] = []


@pytest.fixture(autouse=True)
def nothing_asked_yet():
    asked.clear()


def reading(data: Path, digest: str) -> Callable[[], Awaitable[bytes]]:
    async def read() -> bytes:
        asked.append(digest)
        return files.read(data, digest)

    return read


async def test_a_file_is_read_once(tmp_path: Path) -> None:
    said, digest = Remembered[bytes](2), files.store(tmp_path, b"one")
    for _ in range(3):
        assert await said.of(tmp_path, digest, reading(tmp_path, digest)) == b"one"
    assert len(asked) == 1


async def test_no_more_than_so_many_are_kept(tmp_path: Path) -> None:
    said = Remembered[bytes](2)
    digests = [files.store(tmp_path, content) for content in (b"one", b"two", b"three")]
    for digest in (*digests, *digests[1:], digests[0]):
        await said.of(tmp_path, digest, reading(tmp_path, digest))
    assert asked == [*digests, digests[0]], "the oldest alone was forgotten"


async def test_what_cannot_be_read_is_told_once_and_read_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said, digest = Remembered[bytes](2), files.store(tmp_path, b"one")
    place = files.path_of(tmp_path, digest)
    for spoil in (place.unlink, lambda: place.write_bytes(b"another")):
        spoil()
        asked.clear()
        caplog.clear()
        with caplog.at_level(logging.ERROR):
            for _ in range(3):
                assert await said.of(tmp_path, digest, reading(tmp_path, digest)) is None
        assert asked == [digest]
        assert len(caplog.records) == 1
    place.unlink()
    files.store(tmp_path, b"one")
    assert await said.of(tmp_path, digest, reading(tmp_path, digest)) == b"one"
