"""Which edition of the program draws: two of the same one draw the same document with the same words."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

REPORTS = Path(__file__).parents[1]
LENGTH = 16
NAME = "Safe Campus"


@cache
def edition() -> str:
    """A digest of everything that decides what a page says and how it is laid out."""
    root = REPORTS.parent
    texts = root / "safety" / "locale"
    parts = (*REPORTS.rglob("*.py"), *(REPORTS / "templates").iterdir(), *texts.glob("*.toml"))
    whole = hashlib.sha256(version("weasyprint").encode())
    for part in sorted(part for part in parts if part.is_file() and "piccolo_migrations" not in part.parts):
        whole.update(str(part.relative_to(root)).encode() + hashlib.sha256(part.read_bytes()).digest())
    return whole.hexdigest()[:LENGTH]


def mark() -> str:
    """How a drawn document names the edition that drew it."""
    return f"{NAME} {edition()}"
