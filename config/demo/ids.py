"""Ids that follow from the seed and the simulated hour, so that the same demo is the same demo."""

import random
import uuid
from datetime import datetime

COUNTER_BITS = 12


class SeededIds:
    """A source of UUIDv7 for `safety.ids.made_by`: sorted in the order made, as the real ones are."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(f"{seed}:ids")  # noqa: S311 - nothing secret hangs on these
        self._millisecond = 0
        self._counter = 0

    def move_to(self, at: datetime) -> None:
        """What is made from now on is made at this instant."""
        millisecond = int(at.timestamp() * 1000)
        if millisecond > self._millisecond:
            self._millisecond, self._counter = millisecond, 0

    def __call__(self) -> uuid.UUID:
        if self._counter >> COUNTER_BITS:
            self._millisecond, self._counter = self._millisecond + 1, 0
        number = (self._millisecond << 80) | (7 << 76) | (self._counter << 64)
        number |= (0b10 << 62) | self._random.getrandbits(62)
        self._counter += 1
        return uuid.UUID(int=number)
