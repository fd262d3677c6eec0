"""By SFTP to a real server, with whatever goes wrong half-way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import asyncssh
import pytest

from reports.transports import Guarded
from reports.transports.sftp import Sftp
from tests.delivery.conftest import Desk

NAME = "return-S001-2026Q3-v1.pdf"
PASSWORD = "not-for-the-log"
HOST = asyncssh.generate_private_key("ssh-ed25519")
OTHER = asyncssh.generate_private_key("ssh-ed25519")
CLIENT = asyncssh.generate_private_key("ssh-ed25519")


def line(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode()


class Door(asyncssh.SSHServer):
    """Lets `hill` in by password or by key."""

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("hill", PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == "hill" and key == CLIENT.convert_to_public()


class Plain(asyncssh.SFTPServer):
    """Does as it is told."""

    synced = 0

    def fsync(self, file_obj: object) -> None:
        type(self).synced += 1
        super().fsync(file_obj)


class WithoutSync(Plain):
    def fsync(self, file_obj: object) -> None:
        raise asyncssh.SFTPOpUnsupported("fsync is not offered")


class Slow(Plain):
    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        await asyncio.sleep(3)
        return 0


class HangsUp(Plain):
    """Writes half of what came and is gone."""

    async def write(self, file_obj: BinaryIO, offset: int, data: bytes) -> int:
        super().write(file_obj, offset, data[: len(data) // 2])
        file_obj.close()
        self.channel.get_connection().abort()
        await asyncio.sleep(3)
        return 0


class LosesTheAnswer(Plain):
    """Renames, and is gone before it says so."""

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        super().rename(oldpath, newpath)
        self.channel.get_connection().abort()
        await asyncio.sleep(3)


class Full(Plain):
    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")


Kind = type[Plain]


@asynccontextmanager
async def listening(root: Path, kind: Kind, port: int = 0) -> AsyncIterator[int]:
    server = await asyncssh.listen(
        "127.0.0.1",
        port,
        server_factory=Door,
        server_host_keys=[HOST],
        sftp_factory=lambda channel: kind(channel, chroot=str(root).encode()),
    )
    try:
        yield server.get_port()
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "in").mkdir(parents=True)
    return tmp_path / "root"


def by_sftp(port: int, limit: float = 20, host: asyncssh.SSHKey = HOST, **how: str) -> Guarded:
    way = Sftp("127.0.0.1", port, "/in", "hill", line(host), **(how or {"password": PASSWORD}))
    return Guarded(way, (PASSWORD,), limit)


def there(root: Path) -> list[str]:
    return sorted(file.name for file in (root / "in").iterdir())


async def test_a_file_arrives_through_to_the_disk_under_its_name(desk: Desk, root: Path) -> None:
    before = Plain.synced
    async with listening(root, Plain) as port:
        assert await desk.arrives(by_sftp(port)) == f"/in/{NAME}"
    assert there(root) == [NAME]
    assert (root / "in" / NAME).read_bytes() == await desk.content()
    assert Plain.synced == before + 1


async def test_a_key_opens_as_well_as_a_password(desk: Desk, root: Path) -> None:
    async with listening(root, Plain) as port:
        await desk.arrives(by_sftp(port, private_key=CLIENT.export_private_key().decode()))
    assert there(root) == [NAME]


@pytest.mark.parametrize(
    ("kind", "limit"),
    [(Slow, 1.0), (HangsUp, 20.0), (Full, 20.0)],
    ids=lambda one: getattr(one, "__name__", ""),
)
async def test_what_breaks_half_way_leaves_nothing_under_the_name(
    desk: Desk, root: Path, kind: Kind, limit: float
) -> None:
    async with listening(root, kind) as port:
        await desk.waits(by_sftp(port, limit))
    assert NAME not in there(root)
    async with listening(root, Plain) as port:
        await desk.arrives(by_sftp(port))
    assert there(root) == [NAME]
    assert (root / "in" / NAME).read_bytes() == await desk.content()


async def test_a_server_that_cannot_sync_is_read_back(desk: Desk, root: Path) -> None:
    async with listening(root, WithoutSync) as port:
        await desk.arrives(by_sftp(port))
    assert there(root) == [NAME]


async def test_an_answer_that_is_lost_makes_no_second_file(desk: Desk, root: Path) -> None:
    async with listening(root, LosesTheAnswer) as port:
        await desk.waits(by_sftp(port))
    assert there(root) == [NAME]
    async with listening(root, Plain) as port:
        await desk.arrives(by_sftp(port))
    assert there(root) == [NAME]


async def test_a_server_with_another_key_is_not_spoken_to(
    desk: Desk, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(root, Plain) as port:
        await desk.waits(by_sftp(port, host=OTHER), "host key")
        assert there(root) == []
        await desk.arrives(by_sftp(port))
    assert PASSWORD not in caplog.text


async def test_a_wrong_password_is_not_told(desk: Desk, root: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with listening(root, Plain) as port:
        await desk.waits(by_sftp(port, password="wrong-" + PASSWORD), "PermissionDenied")
        assert PASSWORD not in await desk.error()
        await desk.arrives(by_sftp(port))
    assert PASSWORD not in caplog.text


async def test_another_file_of_that_name_is_never_written_over(desk: Desk, root: Path) -> None:
    (root / "in" / NAME).write_bytes(b"somebody else's")
    async with listening(root, Plain) as port:
        assert await desk.round(by_sftp(port)) == 0
    assert await desk.state() == "dead"
    assert (root / "in" / NAME).read_bytes() == b"somebody else's"
