"""The garbage collector, held still while many short-lived values are made."""

import gc


class _CollectorPause:
    """No search for cycles while rows, marks and scores are made and thrown away by the ten thousand: they hold none,
    and searching took about a seventh of a recompute's time. Other tasks go without it as well, for as long as one
    chunk of schools takes; the last pause to end turns it on again.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._was_on = False

    def __enter__(self) -> None:
        if not self._depth:
            self._was_on = gc.isenabled()
            gc.disable()
        self._depth += 1

    def __exit__(self, *error: object) -> None:
        self._depth -= 1
        if not self._depth and self._was_on:
            gc.enable()


COLLECTOR_PAUSED = _CollectorPause()
"""`with COLLECTOR_PAUSED:` may be entered again inside itself, and by several tasks at once."""
