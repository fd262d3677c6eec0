"""Which edition of the program draws: two of the same one draw the same document with the same words."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
LENGTH = 16
NAME = "Safe Campus"
TEXTS = ("return.toml", "rollup.toml")
"""The catalogue's files that a drawing may use; it is given no other."""
DRAWS = (
    "reports/canonical.py",
    "reports/document.py",
    "reports/inputs.py",
    "reports/kinds.py",
    "reports/parts.py",
    "reports/pdf.py",
    "reports/rollup/document.py",
    "reports/rollup/incidents.py",
    "reports/rollup/suppression.py",
    "reports/rollup/view.py",
    "reports/drawing/*.py",
    "reports/drawing/kept/*.py",
    "reports/layout/*.py",
    "reports/templates/*",
    "safety/clock.py",
    "safety/text.py",
    *(f"safety/locale/{name}" for name in TEXTS),
)
"""All that decides what a page says. No more: a file drawn before an upgrade that changed none of it is still compared
word by word.
"""


@cache
def edition() -> str:
    """A digest of everything that decides what a page says and how it is laid out."""
    whole = hashlib.sha256(version("weasyprint").encode())
    for part in drawing_files():
        whole.update(str(part.relative_to(ROOT)).encode() + hashlib.sha256(part.read_bytes()).digest())
    return whole.hexdigest()[:LENGTH]


def drawing_files() -> list[Path]:
    """The files that decide what a page says."""
    return sorted({part for pattern in DRAWS for part in ROOT.glob(pattern) if part.is_file()})


def mark() -> str:
    """How a drawn document names the edition that drew it."""
    return f"{NAME} {edition()}"
