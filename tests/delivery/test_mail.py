"""By mail to a real server: its last 250 is the receipt, whatever else it says or does."""

import asyncio
import email
import logging
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from reports.delivery.mail import MailServer, Operator
from reports.jobs import deliver_due
from reports.transports import Guarded
from reports.transports.smtp import Mail
from tests.delivery.conftest import Desk
from tests.delivery.tls import make_tls

TO, FROM = "safety@city.example", "hill@county.example"
PASSWORD = "not-for-the-log"


@dataclass
class Office:
    """What a mail server does with each mail in turn: an answer, `slow`, `lost` (kept, and no answer), else 250."""

    plan: list[str] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        step = self.plan.pop(0) if self.plan else "250 2.0.0 Ok: queued"
        if step == "slow":
            await asyncio.sleep(30)
        if step == "lost" or step.startswith("250"):
            mail = email.message_from_bytes(bytes(envelope.content or b""), policy=default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        if step == "lost":
            assert server.transport is not None
            server.transport.abort()
        return step

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.plan and self.plan[0] == "nobody":
            return self.plan.pop(0).replace("nobody", "550 5.1.1 no such mailbox")
        envelope.rcpt_tos.append(address)
        return "250 ok"


@asynccontextmanager
async def listening(office: Office, **options: Any) -> AsyncIterator[None]:
    """The server on a free port of this machine. `tls`: from the first byte."""
    tls = options.pop("tls", None)
    servers: list[SMTP] = []

    def make() -> SMTP:
        with warnings.catch_warnings():
            # It does not know of the TLS that the listener has done before it.
            warnings.simplefilter("ignore")
            servers.append(SMTP(office, hostname="loopback", loop=asyncio.get_running_loop(), **options))
        return servers[-1]

    listener = await asyncio.get_running_loop().create_server(make, "127.0.0.1", office.port, ssl=tls)
    office.port = listener.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        listener.close()
        for server in servers:
            if server.transport is not None:
                server.transport.abort()
        await listener.wait_closed()


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    made = Office()
    async with listening(made):
        yield made


def by_mail(office: Office, limit: float = 20, **server: Any) -> Guarded:
    return Guarded(
        Mail(MailServer("127.0.0.1", office.port, "plain", FROM, **server), TO), (PASSWORD,), limit
    )


async def test_the_mail_carries_the_file_and_the_last_250_is_kept(desk: Desk, office: Office) -> None:
    assert await desk.arrives(by_mail(office)) == "250 2.0.0 Ok: queued"
    (mail,) = office.mails
    (attached,) = mail.iter_attachments()
    assert attached.get_content() == await desk.content()
    assert attached.get_filename() == "return-S001-2026Q3-v1.pdf"
    assert (mail["To"], mail["From"]) == (TO, FROM)
    assert mail["Message-ID"] == f"<{await desk.message()}@county.example>"
    assert mail["Subject"] == "青山县实验学校（S001）2026Q3 季度报告 第1版"
    body = mail.get_body()
    assert body is not None
    assert str(await desk.message()) in body.get_content()


@pytest.mark.parametrize("answer", ["451 4.3.0 later", "452 4.3.1 full", "421 4.3.2 going down"])
async def test_not_now_is_tried_again(desk: Desk, office: Office, answer: str) -> None:
    office.plan = [answer]
    await desk.waits(by_mail(office), answer[:3])
    await desk.arrives(by_mail(office))
    assert len(office.mails) == 1


@pytest.mark.parametrize("answer", ["554 5.7.1 not wanted", "nobody"])
async def test_never_is_a_dead_letter(desk: Desk, office: Office, answer: str) -> None:
    office.plan = [answer]
    assert await desk.round(by_mail(office)) == 0
    assert await desk.state() == "dead"
    assert "55" in await desk.error()
    assert await desk.round(by_mail(office)) == 0
    assert office.mails == []


async def test_a_slow_server_is_left_and_tried_again(desk: Desk, office: Office) -> None:
    office.plan = ["slow"]
    await desk.waits(by_mail(office, limit=0.5), "no answer within 0.5 s")
    await desk.arrives(by_mail(office))
    assert len(office.mails) == 1


async def test_an_answer_that_is_lost_makes_the_same_mail_come_again(desk: Desk, office: Office) -> None:
    office.plan = ["lost"]
    await desk.waits(by_mail(office))
    await desk.arrives(by_mail(office))
    first, second = office.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]


async def test_nobody_listens_yet(desk: Desk) -> None:
    office = Office()
    async with listening(office):
        pass
    await desk.waits(by_mail(office), "ConnectionRefusedError")
    async with listening(office):
        await desk.arrives(by_mail(office))
    assert len(office.mails) == 1


def let_in(server: SMTP, session: Session, envelope: Envelope, how: str, what: object) -> AuthResult:
    right = isinstance(what, LoginPassword) and what.password == PASSWORD.encode()
    return AuthResult(success=right, handled=right)


@pytest.mark.parametrize("secure", ["tls", "starttls"])
async def test_over_tls_with_a_password(
    desk: Desk, tmp_path: Path, secure: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _, server_side, client_side = make_tls(tmp_path)
    office = Office()
    options: dict[str, Any] = {"authenticator": let_in, "auth_required": True}
    options |= (
        {"tls": server_side, "auth_require_tls": False} if secure == "tls" else {"tls_context": server_side}
    )
    async with listening(office, **options):

        def way(password: str) -> Guarded:
            server = MailServer("127.0.0.1", office.port, secure, FROM, "hill", password, client_side)
            return Guarded(Mail(server, TO), (password, PASSWORD), 20)

        await desk.waits(way("wrong-" + PASSWORD), "SMTPAuthenticationError")
        await desk.arrives(way(PASSWORD))
    assert len(office.mails) == 1
    assert PASSWORD not in caplog.text
    assert PASSWORD not in repr(MailServer("h", 1, "tls", FROM, "u", PASSWORD))


async def test_a_server_nobody_vouches_for_is_not_spoken_to(desk: Desk, tmp_path: Path) -> None:
    _, server_side, _ = make_tls(tmp_path)
    office = Office()
    async with listening(office, tls=server_side):
        server = MailServer("127.0.0.1", office.port, "tls", FROM)
        await desk.waits(Guarded(Mail(server, TO)), "CERTIFICATE_VERIFY_FAILED")
    assert office.mails == []


async def test_a_server_without_starttls_gets_nothing(desk: Desk, office: Office) -> None:
    server = MailServer("127.0.0.1", office.port, "starttls", FROM)
    await desk.waits(Guarded(Mail(server, TO)), "STARTTLS")
    assert office.mails == []


# ---------------------------------------------------------------- the operator
@pytest.fixture
async def told(desk: Desk, office: Office) -> Callable[[], list[EmailMessage]]:
    desk.press = replace(
        desk.press,
        operator=Operator(MailServer("127.0.0.1", office.port, "plain", FROM), "ops@county.example"),
    )
    return lambda: [mail for mail in office.mails if mail["To"] == "ops@county.example"]


async def test_the_operator_hears_once_of_what_waits_for_more_than_an_hour(
    desk: Desk, told: Callable[[], list[EmailMessage]], caplog: pytest.LogCaptureFixture
) -> None:
    nobody = Office()
    async with listening(nobody):
        pass
    press = replace(desk.press, upward=by_mail(nobody))
    await deliver_due(press, desk.now + timedelta(minutes=59))
    assert told() == []
    await deliver_due(press, desk.now + timedelta(minutes=61))
    await deliver_due(press, desk.now + timedelta(hours=9))
    (mail,) = told()
    body = mail.get_body()
    assert body is not None
    assert str(await desk.message()) in body.get_content()
    assert "1 messages have not been delivered" in caplog.text


async def test_a_mail_to_the_operator_that_fails_is_sent_later(
    desk: Desk, office: Office, told: Callable[[], list[EmailMessage]]
) -> None:
    office.plan = ["554 no", "451 not now"]
    assert await desk.round(by_mail(office)) == 0
    assert await desk.state() == "dead"
    assert told() == []
    await desk.round(by_mail(office))
    await desk.round(by_mail(office))
    assert len(told()) == 1
