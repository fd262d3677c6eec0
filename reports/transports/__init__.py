"""Ways by which a sealed file reaches whom it is for: one module each, one protocol, one error.

A way returns a receipt only when the other side has said, in its own manner, that it has the file for good. Whatever
else happens is a `TransportError`, and the same message is tried again: so each way must bear being asked twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar, runtime_checkable
from uuid import UUID

from reports.delivery import decided

T = TypeVar("T")

SEND_SECONDS = 120.0
"""Within this time an attempt ends; a message is held for longer than that."""


class TransportError(Exception):
    """The message was not taken. `permanent`: asking again will bring the same answer, so a person has to look."""

    def __init__(self, said: str, *, permanent: bool = False) -> None:
        super().__init__(said)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is written on the outside.

    `message` stays the same at every attempt; `sender` is the code of the school or bureau that the file speaks for;
    `posted_at` is when it was sealed, `now` the time of this attempt.
    """

    message: UUID
    kind: str
    sender: str
    sender_name: str
    period: str
    version: int
    file_name: str
    bytes_digest: str
    size: int
    facts_digest: str
    posted_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """That the other side has the file: its number there, the SHA-256 of what it has, when, by which way, and its
    answer word for word.
    """

    number: UUID
    bytes_digest: str
    received_at: datetime
    way: str
    answer: str


class Transport(Protocol):
    """One way. `name` is short and stable; `place` says where it leads, to be shown: it holds no secret."""

    @property
    def name(self) -> str: ...

    @property
    def place(self) -> str: ...

    async def send(self, envelope: Envelope, content: bytes) -> Receipt:
        """Hand the file over. Raises TransportError."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """What the other side said of a message that it has, and its signed answer word for word."""

    body: decided.Body
    answer: str


@runtime_checkable
class Answering(Transport, Protocol):
    """A way whose other side can be asked later what it decided."""

    async def ask(self, message: UUID) -> Told:
        """Ask about a message that it gave a receipt for. Raises TransportError."""
        ...


class Guarded:
    """A way that ends in time, fails in one manner, and whose errors say no secret."""

    def __init__(self, way: Transport, secrets: tuple[str, ...] = (), limit: float = SEND_SECONDS) -> None:
        self._way = way
        self._secrets = tuple(secret for secret in secrets if secret)
        self._limit = limit

    @property
    def name(self) -> str:
        return self._way.name

    @property
    def place(self) -> str:
        return self._way.place

    async def send(self, envelope: Envelope, content: bytes) -> Receipt:
        """Raises TransportError for whatever goes wrong."""
        return await self._within(self._way.send(envelope, content))

    async def _within(self, work: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._limit):
                return await work
        except TransportError as error:
            raise TransportError(self._safe(str(error)), permanent=error.permanent) from None
        except TimeoutError:
            raise TransportError(f"no answer within {self._limit:g} s") from None
        except Exception as error:  # noqa: BLE001 - libraries' own errors are many, and may quote what they were given
            raise TransportError(self._safe(f"{type(error).__name__}: {error}")) from None

    def _safe(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


class GuardedAnswering(Guarded):
    """The same for a way whose other side can be asked."""

    def __init__(self, way: Answering, secrets: tuple[str, ...] = (), limit: float = SEND_SECONDS) -> None:
        super().__init__(way, secrets, limit)
        self._answering = way

    async def ask(self, message: UUID) -> Told:
        """Raises TransportError for whatever goes wrong."""
        return await self._within(self._answering.ask(message))


def guarded(way: Transport, secrets: tuple[str, ...] = (), limit: float = SEND_SECONDS) -> Guarded:
    """A way with its guard; one that can be asked still can."""
    if isinstance(way, Answering):
        return GuardedAnswering(way, secrets, limit)
    return Guarded(way, secrets, limit)
