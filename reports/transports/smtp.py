"""By mail: the PDF as an attachment. What counts as received is the server's last 250."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from reports.delivery.mail import MailRefused, MailServer, hand_in
from reports.transports import Envelope, Receipt, TransportError
from safety.text import t

LANG = "zh"
"""Of the mail's words: it goes from office to office."""


class Mail:
    """To one address. The same message is the same mail: its Message-ID is the message's id."""

    name = "smtp"

    def __init__(self, server: MailServer, to: str) -> None:
        self._server = server
        self._to = to

    @property
    def place(self) -> str:
        return self._to

    async def send(self, envelope: Envelope, content: bytes) -> Receipt:
        """Raises TransportError; permanent, if the server refuses this mail or its recipient for good (5yz)."""
        try:
            answer = await hand_in(self._server, self._to, self._mail(envelope, content))
        except MailRefused as error:
            raise TransportError(str(error), permanent=error.final) from error
        except (OSError, smtplib.SMTPException) as error:
            raise TransportError(f"{type(error).__name__}: {error}") from error
        return Receipt(envelope.message, envelope.bytes_digest, envelope.now, self.name, answer)

    def _mail(self, envelope: Envelope, content: bytes) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._server.sender
        mail["To"] = self._to
        # Whatever differs between two attempts would make two mails of one.
        mail["Date"] = format_datetime(envelope.posted_at)
        mail["Message-ID"] = f"<{envelope.message}@{self._server.sender.rpartition('@')[2]}>"
        said = {"name": envelope.sender_name, "code": envelope.sender, "period": envelope.period}
        mail["Subject"] = t(f"delivery.mail.{envelope.kind}", LANG, **said, version=envelope.version)
        mail["Safe-Campus-Delivery"] = (
            f"{envelope.kind}; from={envelope.sender}; period={envelope.period}; version={envelope.version}; "
            f"sha256={envelope.bytes_digest}"
        )
        words = t("delivery.mail.body", LANG, **said, digest=envelope.bytes_digest, message=envelope.message)
        mail.set_content(words + "\n", cte="base64")
        mail.add_attachment(content, "application", "pdf", filename=envelope.file_name)
        return mail
