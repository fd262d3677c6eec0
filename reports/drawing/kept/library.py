"""The library's functions, ours put in their places."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def install() -> None:
    """From now on this process keeps what it works out. To be called before the first document, with fonts set up."""
    from reports.drawing.kept import boxes, styles, texts

    styles.install()
    boxes.install()
    texts.install()


def put(plain: Callable[..., Any], ours: Callable[..., Any]) -> None:
    """`ours` for `plain`, under every name by which a module of the library has it."""
    for module in [module for name, module in sys.modules.items() if name.partition(".")[0] == "weasyprint"]:
        for name in [name for name, value in vars(module).items() if value is plain]:
            setattr(module, name, ours)
