"""To a bureau of this very instance: received in one transaction, answered with a signed receipt."""

from __future__ import annotations

from reports.delivery.receive import Parcel, receive
from reports.sealing.keys import SigningKey
from reports.transports import Envelope, Receipt
from safety.database import transaction


class Inbox:
    """The inbox of one bureau. The file is in the data folder already, where both sides find it."""

    name = "inbox"
    place = ""

    def __init__(self, bureau: int, key: SigningKey | None) -> None:
        self._bureau = bureau
        self._key = key

    async def send(self, envelope: Envelope, content: bytes) -> Receipt:
        """Raises Conflict as `receive` does."""
        parcel = Parcel(
            message=envelope.message,
            kind=envelope.kind,
            sender=envelope.sender,
            peer=None,
            bureau=self._bureau,
            period=envelope.period,
            version=envelope.version,
            facts_digest=envelope.facts_digest,
            bytes_digest=envelope.bytes_digest,
            size=len(content),
        )
        async with transaction():
            answer = await receive(parcel, self._key, envelope.now)
        return Receipt(answer.number, answer.bytes_digest, answer.received_at, self.name, answer.receipt)
