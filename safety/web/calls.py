"""What a slice above the kernel has to tell people on their first page."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from safety.access.scope import Scope
from safety.calendar import Period


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


@dataclass(frozen=True, slots=True)
class Figure:
    """How many of something there are: what (a key), the list of them, and a colour as badges have it."""

    key: str
    number: int
    path: str
    kind: str = "quiet"


@dataclass(frozen=True, slots=True)
class BureauDesk:
    """What waits at a bureau for a quarter. `path` leads to its board; `notes` tell what is no number; `below` are the
    bureaus right below it.
    """

    name: str
    path: str
    period: Period
    figures: tuple[Figure, ...] = ()
    notes: tuple[Call, ...] = ()
    below: tuple["BureauDesk", ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """What is counted of the bureaus below; nothing where all of them keep an instance of their own."""
        return next((tuple(figure.key for figure in desk.figures) for desk in self.below if desk.figures), ())


Caller = Callable[[Scope, int, str, datetime], Awaitable[list[Call]]]
"""Who is looking, at which school (id and code), and when."""

Alarm = Callable[[Scope, datetime], Awaitable[list[Call]]]
"""Who is looking, and when; what is told stands at the top of every page."""

Desker = Callable[[Scope, int, bool, datetime], Awaitable[BureauDesk]]
"""Who is looking, at which bureau (its id), whether as an inspector, and when."""
