"""Broken lines are kept up to so many, whichever styles they are of."""

from types import SimpleNamespace
from typing import Any

import pytest

from reports.drawing.kept import texts


def test_lines_of_styles_that_are_not_seen_again_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MOST_LINES", 10)
    styles: list[dict[str, Any]] = []
    monkeypatch.setattr(texts._Lines, "_kept", lambda _, style: style)
    lines = texts._Lines()
    for number in range(25):
        styles.append({})
        found = lines.of(styles[-1])
        assert found is not None
        lines.add(found, number, (SimpleNamespace(),))
        assert sum(len(style["lines"][1]) for style in styles) <= 10
    assert len(lines.every) <= 10
    assert styles[-1]["lines"][1], "what is seen now is kept"
