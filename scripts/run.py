"""What `make run` does once everything is installed: migrate, load the demo into an empty database, serve.

PORT names the port on 127.0.0.1; DEMO=0 leaves an empty database empty, so that the first page is the first
set-up. All of it is `safe-campus`, called in this one process, because starting Python three times is slow.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path

from config import cli

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    os.chdir(ROOT)
    port = os.environ.get("PORT", "8000")
    os.environ.setdefault("SAFE_CAMPUS_BASE_URL", f"http://127.0.0.1:{port}")
    os.environ.setdefault("PICCOLO_CONF", "config.piccolo_conf")
    if json.loads(answer("migrate", "--json"))["empty"] and os.environ.get("DEMO", "1") != "0":
        answer("demo")
    print_logins()
    print(f"http://127.0.0.1:{port}", flush=True)
    cli.main(["serve", "--port", port])


def answer(*arguments: str) -> str:
    """What a command puts on standard output. Leaves with the command's code if that is not 0."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        code = cli.run(arguments)
    if code:
        sys.exit(code)
    return output.getvalue()


def print_logins() -> None:
    """The demo's made-up people and their random passwords, if the demo was loaded here."""
    file = Path(os.environ.get("SAFE_CAMPUS_DATA") or "var") / "demo-logins.json"
    if not file.exists():
        return
    for person in json.loads(file.read_text(encoding="utf-8")):
        where = person.get("school") or person.get("bureau") or ""
        print(f"{person['role']:<10} {person['login']:<20} {person['password']:<20} {person['name']} {where}")


if __name__ == "__main__":
    main()
