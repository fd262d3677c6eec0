"""Bars and codes as SVG: what is drawn, and the text that says the same."""

from __future__ import annotations

import re

import segno

from reports.layout.charts import QUIET_ZONE, Bar, Pair, Panel, bars, drawing, pairs, qr

URL = "https://safe.example.cn/verify?d=" + "5f" * 32
PANEL = Panel(left=10, names=20, bars=50)


def dark(svg: str) -> set[tuple[int, int]]:
    """The modules that the strokes of a QR code fill, as (row, column): each as high as a module."""
    assert 'stroke="#000"' in svg
    assert "stroke-width" not in svg
    runs = re.findall(r"M(\d+) (\d+)\.5h(\d+)", svg)
    return {(int(down), int(at) + step) for at, down, length in runs for step in range(int(length))}


def test_a_code_holds_exactly_its_address() -> None:
    expected = {
        (down + QUIET_ZONE, at + QUIET_ZONE)
        for down, row in enumerate(segno.make_qr(URL, error="m").matrix)
        for at, module in enumerate(row)
        if module
    }
    assert dark(qr(URL, "code")) == expected


def test_bars_are_as_long_as_their_shares() -> None:
    rows = (Bar("甲", 1.0, "100.0%"), Bar("乙", 0.25, "25.0%"), Bar("丙", 0.0, "0.0%"), Bar("丁", None, "—"))
    marks, said = bars(rows, "目标", PANEL)
    drawn = re.findall(r'<rect x="30" y="[\d.]+" width="([\d.]+)" height="3" fill="#222"', "".join(marks))
    assert [float(width) for width in drawn] == [50, 12.5]
    assert said == "目标: 甲 100.0%, 乙 25.0%, 丙 0.0%, 丁 —"


def test_a_drawing_says_in_words_what_it_shows() -> None:
    pair = Pair("值班<岗>", Bar("", 0.9, "90.0%"), Bar("", 0.8, "80.0%"))
    svg = drawing(156, 1, [pairs([pair], "两率", PANEL)])
    assert "<title>两率: 值班&lt;岗&gt; 90.0% / 80.0%</title>" in svg
    assert "<岗>" not in svg
    assert 'fill="#222"' in svg
    assert 'fill="#aaa"' in svg
