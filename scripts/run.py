"""What `make run` does once everything is installed: migrate, load the demo into an empty database, serve.

PORT names the port on 127.0.0.1; DEMO=0 leaves an empty database empty, so that the first page is the first
set-up.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = str(ROOT / ".venv" / "bin" / "safe-campus")


def main() -> None:
    os.chdir(ROOT)
    port = os.environ.get("PORT", "8000")
    os.environ.setdefault("SAFE_CAMPUS_BASE_URL", f"http://127.0.0.1:{port}")
    if migrate() and os.environ.get("DEMO", "1") != "0":
        subprocess.run([COMMAND, "demo"], check=True, stdout=sys.stderr)
    print_logins()
    print(f"http://127.0.0.1:{port}", flush=True)
    os.execv(COMMAND, [COMMAND, "serve", "--port", port])


def migrate() -> bool:
    """The schema is current afterwards; returns whether the database is empty."""
    outcome = subprocess.run([COMMAND, "migrate", "--json"], capture_output=True, text=True, check=False)
    if outcome.returncode:
        sys.exit(outcome.stderr + outcome.stdout)
    return bool(json.loads(outcome.stdout)["empty"])


def print_logins() -> None:
    """The demo's made-up people and their random passwords, if the demo was loaded here."""
    file = Path(os.environ.get("SAFE_CAMPUS_DATA") or "var") / "demo-logins.json"
    if not file.exists():
        return
    people = json.loads(file.read_text(encoding="utf-8"))
    for person in people:
        where = person.get("school") or person.get("bureau") or ""
        print(f"{person['role']:<10} {person['login']:<20} {person['password']:<20} {person['name']} {where}")


if __name__ == "__main__":
    main()
