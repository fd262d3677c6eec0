"""By SFTP: written aside, through to the disk where the server can, and renamed into place."""

from __future__ import annotations

import contextlib
from contextlib import AbstractAsyncContextManager
from typing import cast

import asyncssh

from reports.transports import Envelope, Receipt, TransportError

CONNECT_SECONDS = 20.0


class Sftp:
    """A folder on a server whose host key is known beforehand; a server with another key is not spoken to."""

    name = "sftp"

    def __init__(
        self,
        host: str,
        port: int,
        folder: str,
        user: str,
        host_key: str,
        *,
        password: str | None = None,
        private_key: str | None = None,
    ) -> None:
        """`host_key` is a line such as `ssh-ed25519 AAAA…`; `private_key` is in OpenSSH's form."""
        self._host = host
        self._port = port
        self._folder = folder.rstrip("/")
        self._user = user
        self._host_key = asyncssh.import_public_key(host_key)
        self._password = password
        self._keys = [asyncssh.import_private_key(private_key)] if private_key else None

    @property
    def place(self) -> str:
        return f"{self._host}:{self._folder or '/'}"

    async def send(self, envelope: Envelope, content: bytes) -> Receipt:
        """Raises TransportError; permanent, if a file of that name holds something else."""
        try:
            async with self._connect() as connection, connection.start_sftp_client() as client:
                answer = await self._put(client, envelope, content)
        except asyncssh.HostKeyNotVerifiable as error:
            raise TransportError(f"the server's host key is not the known one: {error}") from error
        except (asyncssh.Error, OSError) as error:
            raise TransportError(f"{type(error).__name__}: {error}") from error
        return Receipt(envelope.message, envelope.bytes_digest, envelope.now, self.name, answer)

    def _connect(self) -> AbstractAsyncContextManager[asyncssh.SSHClientConnection]:
        return asyncssh.connect(
            self._host,
            self._port,
            username=self._user,
            password=self._password,
            client_keys=self._keys,
            known_hosts=([self._host_key], [], []),
            # Nothing of the account that the service runs under: no agent, no configuration, no keys lying about.
            agent_path=None,
            config=None,
            connect_timeout=CONNECT_SECONDS,
            login_timeout=CONNECT_SECONDS,
        )

    async def _put(self, client: asyncssh.SFTPClient, envelope: Envelope, content: bytes) -> str:
        place = f"{self._folder}/{envelope.file_name}"
        if await client.exists(place):
            if await _read(client, place) != content:
                raise TransportError(
                    f"{envelope.file_name} is there already and holds something else", permanent=True
                )
            return place
        aside = f"{self._folder}/.{envelope.message}.part"
        await self._write(client, aside, content)
        await client.rename(aside, place)
        return place

    async def _write(self, client: asyncssh.SFTPClient, aside: str, content: bytes) -> None:
        async with client.open(aside, "wb") as file:
            await file.write(content)
            # Not every server offers it; read back it is in any case before it gets its name.
            with contextlib.suppress(asyncssh.SFTPOpUnsupported):
                await file.fsync()
        if await _read(client, aside) != content:
            raise TransportError("what was written is not what is there")


async def _read(client: asyncssh.SFTPClient, path: str) -> bytes:
    async with client.open(path, "rb") as file:
        return cast("bytes", await file.read())
