"""The operator is told of messages that do not arrive: in the log at every round, by mail once for each message."""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID

from reports.delivery import outbox
from reports.delivery.mail import MailRefused, Operator, hand_in
from reports.press import Press
from safety.database import execute_many
from safety.text import t

log = logging.getLogger(__name__)

LANGS = ("zh", "en")
LISTED = 20


async def alert(press: Press, now: datetime) -> None:
    """Tell of what has waited for more than an hour and of what was refused for good. Never fails for the telling."""
    upward = press.upward is not None
    stuck, dead = await outbox.overdue(now, upward=upward), await outbox.dead()
    if stuck:
        log.error("%d messages have not been delivered for more than an hour", stuck)
    if dead:
        log.error("%d messages were refused for good and wait for somebody to look at them", dead)
    if press.operator is not None and (stuck or dead):
        await _mail(press.operator, now, upward=upward)


async def _mail(operator: Operator, now: datetime, *, upward: bool) -> None:
    """One mail for all that nobody was told of; if it cannot be sent, the next round tries again."""
    told = await outbox.take_unalerted(now, upward=upward)
    if not told:
        return
    try:
        await hand_in(operator.server, operator.address, _letter(operator, told, now))
    except (MailRefused, OSError, smtplib.SMTPException) as error:
        log.error("the operator's mail was not sent: %s", error)
        await execute_many(
            None, "update outbox set alerted_at = null where message = $1", [[m] for m, _ in told]
        )


def _letter(operator: Operator, told: list[tuple[UUID, str]], now: datetime) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = operator.server.sender, operator.address
    mail["Date"] = format_datetime(now)
    mail["Subject"] = " / ".join(t("delivery.alert.subject", lang, count=len(told)) for lang in LANGS)
    words = [t("delivery.alert.body", lang, count=len(told)) for lang in LANGS]
    words += [f"{message}  {error}" for message, error in told[:LISTED]]
    mail.set_content("\n\n".join(words) + "\n", cte="base64")
    return mail
