"""What a slice above the kernel has to tell people on their first page."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from safety.access.scope import Scope


@dataclass(frozen=True, slots=True)
class Call:
    """A notice that asks for something: its sentence (key and values), where to do it, and the link's words (a key).

    A date among the values is printed in the reader's language.
    """

    key: str
    values: dict[str, Any] = field(default_factory=dict)
    path: str = ""
    action: str = ""

    def printed(self, day: Callable[[date], str]) -> dict[str, Any]:
        """The values with their dates written out."""
        return {name: day(value) if isinstance(value, date) else value for name, value in self.values.items()}


Caller = Callable[[Scope, int, str, datetime], Awaitable[list[Call]]]
"""Who is looking, at which school (id and code), and when."""

Alarm = Callable[[Scope, datetime], Awaitable[list[Call]]]
"""Who is looking, and when; what is told stands at the top of every page."""
