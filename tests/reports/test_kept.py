"""What a worker keeps from one document to the next changes not one byte of any."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import msgspec

from reports.drawing import fonts
from reports.kinds import ReturnJob, RollupJob
from reports.pdf import TEMPLATES, worker_environment
from tests.sample_return import sample_return, sloppy_return, worst_return
from tests.sample_rollup import sample_city, sample_rollup

URL = "https://safe-campus.example/verify?d="
RETURNS = (sample_return(), worst_return(), sloppy_return(), sample_return(reason="改了一处"))
JOBS = [
    *(ReturnJob(made, lang, URL + made.facts_digest) for lang in ("zh", "en") for made in RETURNS),  # type: ignore[arg-type]
    *(RollupJob(made, lang) for lang in ("zh", "en") for made in (sample_rollup(), sample_city())),  # type: ignore[arg-type]
]


def drawn(way: str, data: Path) -> list[str]:
    command = [sys.executable, "-m", "tests.reports.drawn_both_ways", way]
    environment = worker_environment(fonts.prepare(data))
    jobs = msgspec.msgpack.encode(JOBS)
    # Fontconfig keeps its cache where the process stands.
    done = subprocess.run(command, input=jobs, env=environment, cwd=data, stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=list[str])


def test_every_document_has_the_bytes_that_the_library_gives_it_alone(tmp_path: Path) -> None:
    alone = drawn("plain", tmp_path)
    assert len(set(alone)) == len(JOBS)
    assert drawn("kept", tmp_path) == alone * 3


def test_style_sheets_ask_for_nothing_but_an_elements_own_place() -> None:
    # What is kept of styles goes by tag, class and language of an element and of those around it.
    for sheet in TEMPLATES.glob("*.css"):
        rules = re.sub(
            r"@page[^{]*\{(?:[^{}]|\{[^}]*\})*\}|/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.S
        )
        for selector in re.findall(r"([^{}]+)\{", rules):
            assert not re.search(r"[\[+~#>]|:(?!lang\()", selector), (sheet.name, selector)


def test_no_font_draws_a_character_that_xml_cannot_hold() -> None:
    # Pages are read as XML, and what no font draws is refused before.
    forbidden = {*range(0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF} - {*b"\t\n\r"}
    assert not forbidden & fonts.drawable()
