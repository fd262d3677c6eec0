"""Mail by a server of the operator's choice: the one module that speaks SMTP."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage

STEP_SECONDS = 30.0
"""For the server to answer any one thing it is told."""


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed in. `secure` is `tls` (from the first byte, SMTPS), `starttls`, or `plain` (on this machine
    only). `sender` is the address that mail comes from.
    """

    host: str
    port: int
    secure: str
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    context: ssl.SSLContext | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Operator:
    """Who looks after this installation: told by mail what does not mend itself."""

    server: MailServer
    address: str


class MailRefused(Exception):
    """The server answered no. `code` is SMTP's; `final`: the refusal is of this message or its recipient, for good."""

    def __init__(self, code: int, said: str, *, final: bool) -> None:
        super().__init__(f"{code} {said}")
        self.code = code
        self.final = final


async def hand_in(server: MailServer, to: str, mail: EmailMessage) -> str:
    """Hand one mail in and return the server's last line, such as `250 2.0.0 Ok: queued as …`.

    Raises:
        MailRefused: the server said no.
        OSError, smtplib.SMTPException: it did not answer, or not as SMTP does.
    """
    client = _Client(server)
    try:
        return await asyncio.to_thread(client.send, to, mail)
    finally:
        client.cut()


class _Client:
    """One conversation, in a thread. `cut` ends it from outside: a thread cannot be cancelled, its connection can."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._connection: smtplib.SMTP | None = None
        self._cut = False

    def cut(self) -> None:
        self._cut = True
        # Shut, not closed: closing is the thread's, which wakes up from its waiting at that.
        open_socket = getattr(self._connection, "sock", None)
        if open_socket is not None:
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)

    def send(self, to: str, mail: EmailMessage) -> str:
        connection = self._connection = self._connect()
        if self._cut:
            raise ConnectionAbortedError("given up")
        try:
            self._enter(connection)
            _said(connection.mail(self._server.sender), final=True)
            _said(connection.rcpt(to), final=True)
            answer = _said(connection.data(mail.as_bytes()), final=True)
            with contextlib.suppress(OSError, smtplib.SMTPException):
                connection.quit()
        finally:
            connection.close()
        return answer

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.secure == "tls":
            return smtplib.SMTP_SSL(server.host, server.port, timeout=STEP_SECONDS, context=_context(server))
        return smtplib.SMTP(server.host, server.port, timeout=STEP_SECONDS)

    def _enter(self, connection: smtplib.SMTP) -> None:
        connection.ehlo_or_helo_if_needed()
        if self._server.secure == "starttls":
            connection.starttls(context=_context(self._server))
            connection.ehlo()
        if self._server.user:
            connection.login(self._server.user, self._server.password)


def _context(server: MailServer) -> ssl.SSLContext:
    return server.context or ssl.create_default_context()


def _said(answer: tuple[int, bytes], *, final: bool) -> str:
    code, text = answer
    said = text.decode(errors="replace").replace("\n", " ")
    if not 200 <= code < 300:
        raise MailRefused(code, said, final=final and code >= 500)
    return f"{code} {said}"
