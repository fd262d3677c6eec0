"""Returns as PDF: one drawn and sealed, beside the same page by others; and a close from ledgers to stored receipts."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from config.benchmarks.county import QUARTER, make
from config.benchmarks.office import private_database
from reports import queries
from reports.document import ReturnDocument
from reports.jobs import close
from reports.kinds import ReturnJob, Texts, sheet
from reports.pdf import TEMPLATES, Renderer, page_of
from reports.press import Press
from reports.seal import sign
from reports.sealing.keys import SigningKey, signing_key
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.text import Catalogue

OWNER = "bench"
BASE_URL = "https://safe-campus.example"
SAMPLES = 40
"""How often the workers' memory is looked at during a close."""

Say = Callable[[str], None]


async def bench_pdf(schools: int, times: int, say: Say) -> dict[str, Any]:
    """One return's seconds and size, ours and others'; then the close of `schools` schools, and the workers' memory.

    Each time another school's return is drawn, so there are more schools than `times` in any case.
    """
    schools = max(schools, times + 1)
    with TemporaryDirectory(prefix="safe-campus-bench-") as name:
        folder = Path(name)
        key = signing_key(folder, "safe-campus bench")
        async with private_database(folder):
            say(f"generating {schools} schools")
            await make(schools)
            renderer = Renderer(folder, base_url=BASE_URL)
            try:
                return {
                    "one": await _one(folder, renderer, key, times, say),
                    "close": await _close(folder, renderer, key, schools, say),
                }
            finally:
                await renderer.close()


# ---------------------------------------------------------------- one return
async def _one(folder: Path, renderer: Renderer, key: SigningKey, times: int, say: Say) -> dict[str, Any]:
    say("drawing and sealing single returns, and the same pages by others")
    ids = await fetch_tuples(None, "select id from school order by id limit $1", [times + 1])
    at = close_at(QUARTER)
    documents = [await queries.current(id_, QUARTER, at, test_clock=False) for (id_,) in ids]
    spent, busy, pdf = [], [], b""
    for document in documents:
        start, worked = time.perf_counter(), _worked(renderer)
        pdf = await asyncio.to_thread(sign, await renderer.render_return(document), key, at)
        spent.append(time.perf_counter() - start)
        busy.append(_worked(renderer) - worked)
    beside = await asyncio.to_thread(_beside, folder, documents)
    ours, cpu = median(spent[1:]), median(busy[1:])
    return {
        "first_seconds": round(spent[0], 3),
        "seconds": round(ours, 3),
        "cpu": round(cpu, 3),
        "kilobytes": len(pdf) // 1024,
        **{
            name: {
                "seconds": round(median(found["seconds"]), 3),
                "cpu": round(median(found["cpu"]), 3),
                "kilobytes": found["bytes"] // 1024,
                "ours_to_it": round(ours / median(found["seconds"]), 2),
                "cpu_to_its": round(cpu / median(found["cpu"]), 2),
            }
            for name, found in beside.items()
        },
    }


def _worked(renderer: Renderer) -> float:
    """Processor seconds of this process and of the workers, so far."""
    ticks = os.sysconf("SC_CLK_TCK")
    stats = [
        Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2] for pid in renderer.pids
    ]
    return time.process_time() + sum(sum(map(int, each.split()[11:13])) for each in stats) / ticks


def _beside(folder: Path, documents: list[ReturnDocument]) -> dict[str, dict[str, Any]]:
    """WeasyPrint's own way with the bare pages, and Typst with their text, each in a warm process of its own."""
    pages = folder / "pages"
    pages.mkdir()
    for number, document in enumerate(documents):
        made = sheet(ReturnJob(document), _texts())
        (pages / f"{number:03}.html").write_text(page_of(made, _texts()("zh")), encoding="utf-8")
    styles = [TEMPLATES / f"{name}.css" for name in made.styles]
    return {name: _peer(name, pages, styles) for name in ("weasyprint", "typst")}


@cache
def _texts() -> Texts:
    catalogue = Catalogue.load(strict=True)
    return lambda lang: lambda key, **values: catalogue.t(key, lang, **values)


def _peer(name: str, pages: Path, styles: list[Path]) -> dict[str, Any]:
    import pylopdf_fonts_zh_cn

    fonts = Path(pylopdf_fonts_zh_cn.serif_path()).parent
    configuration = pages / "as-it-comes.conf"
    configuration.write_text(
        f"<fontconfig><dir>{fonts}</dir><cachedir>{pages}/cache</cachedir></fontconfig>",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "config.benchmarks.peers", name, str(pages), str(fonts)]
    environment = {**os.environ, "FONTCONFIG_FILE": str(configuration)}
    done = subprocess.run([*command, *map(str, styles)], env=environment, check=True, stdout=subprocess.PIPE)  # noqa: S603
    return json.loads(done.stdout)  # type: ignore[no-any-return]


# ---------------------------------------------------------------- a close
async def _close(folder: Path, renderer: Renderer, key: SigningKey, schools: int, say: Say) -> dict[str, Any]:
    say(f"closing the quarter of {schools} schools")
    memory: list[dict[int, int]] = []
    step = max(1, schools // SAMPLES)

    def progress(what: str, done: int, _total: int) -> None:
        if what == "deliver" and done % step == 0:
            memory.append({pid: _resident(pid) for pid in renderer.pids})

    press = Press(folder, renderer, OWNER, key=key)
    start = time.perf_counter()
    closed = await close(press, QUARTER, close_at(QUARTER) + timedelta(seconds=1), progress)
    spent = time.perf_counter() - start
    return {
        "schools": schools,
        "delivered": closed.delivered,
        "failed": len(closed.failed),
        "seconds": round(spent, 2),
        "per_second": round(schools / spent, 2),
        "worker_megabytes": _flatness(memory),
    }


def _resident(pid: int) -> int:
    """Resident memory of a process in bytes; 0 once it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except FileNotFoundError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _flatness(memory: list[dict[int, int]]) -> dict[str, int]:
    """The largest worker's megabytes after a quarter of the documents, at the end, and at most."""
    largest = [max(seen.values(), default=0) // 2**20 for seen in memory if seen]
    if not largest:
        return {}
    return {"early": largest[len(largest) // 4], "end": largest[-1], "most": max(largest)}
