"""Excel workbooks as rows of text, read in a process of its own with little memory and little time.

The reader lays every sheet out in full. Two cells in opposite corners, a file of one kilobyte, ask it for half a
terabyte, and what is refused that ends its whole process: so that process must not be the one that serves.
This module is also the program that runs there, by itself; it imports nothing of ours.
"""

import io
import json
import resource
import subprocess
import sys
import threading
from datetime import date, datetime, time
from typing import Any

NOT_DATA = frozenset({"notes", "lists", "说明"})
"""Sheets of our own templates that hold no rows."""
UNREADABLE, TOO_LARGE = 3, 4
AT_LEAST, PER_BYTE = 512 * 1024 * 1024, 60
"""Memory: so much for any file, and so much more for each of its bytes."""
SECONDS, BYTES_PER_SECOND = 20, 500_000
TEXT_SHARE = 8
"""What is read may take this part of the memory, in characters."""
_FEW_AT_ONCE = threading.BoundedSemaphore(2)


class NoWorkbook(Exception):
    """It cannot be read: damaged, protected, or something else altogether."""


class Sprawling(Exception):
    """Laid out in full it would take more memory or time than a file of its size may."""


def read_workbook(data: bytes) -> dict[str, list[list[str]]]:
    """The sheets of a workbook by title, as rows of cells. Waits for a process: not for the event loop's thread.

    Raises NoWorkbook and Sprawling.
    """
    seconds = SECONDS + len(data) // BYTES_PER_SECOND
    command = [sys.executable, "-I", __file__, str(AT_LEAST + PER_BYTE * len(data)), str(seconds)]
    with _FEW_AT_ONCE:
        try:
            done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=3 * seconds)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise Sprawling from error
    if done.returncode == UNREADABLE:
        raise NoWorkbook
    if done.returncode != 0:
        raise Sprawling
    sheets: dict[str, list[list[str]]] = json.loads(done.stdout)
    return sheets


def cell_text(cell: Any) -> str:
    """An Excel cell as it would stand in a CSV."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else f"{cell:.6f}".rstrip("0").rstrip(".")
    if isinstance(cell, datetime):
        midnight = cell.time() == time.min
        return cell.date().isoformat() if midnight else cell.isoformat(timespec="seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)


# ---------------------------------------------------------------- the program
def _main(memory: int, seconds: int) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import python_calamine  # only here, and only once it cannot do harm

    try:
        book = python_calamine.load_workbook(io.BytesIO(sys.stdin.buffer.read()))
        sheets = _texts(book, memory // TEXT_SHARE)
    except (python_calamine.CalamineError, OSError, ValueError):
        return UNREADABLE
    if sheets is None:
        return TOO_LARGE
    sys.stdout.write(json.dumps(sheets))
    return 0


def _texts(book: Any, most: int) -> dict[str, list[list[str]]] | None:
    """None for more text than `most` characters, each cell counting as eight more."""
    sheets: dict[str, list[list[str]]] = {}
    size = 0
    for title in book.sheet_names:
        if title.strip().lower() in NOT_DATA:
            continue
        rows = sheets[title] = []
        for cells in book.get_sheet_by_name(title).to_python(skip_empty_area=False):
            rows.append([cell_text(cell) for cell in cells])
            size += sum(map(len, rows[-1])) + 8 * len(cells)
            if size > most:
                return None
    return sheets


if __name__ == "__main__":
    sys.exit(_main(int(sys.argv[1]), int(sys.argv[2])))
