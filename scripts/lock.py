"""Resolve config/locks/*.in into *.txt: name, version and hashes of everything, and no address.

The resolver, uv, is taken from PATH or from a virtual environment of its own in .venv/lock; nothing else here
needs it.
"""

from __future__ import annotations

import shutil
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT / ".venv" / "lock"
OPTIONS = "--quiet --universal --python-version 3.11 --generate-hashes --upgrade"
PLAIN = "--no-emit-index-url --no-emit-find-links --no-header --no-annotate"


def main() -> None:
    for name in ("runtime", "develop"):
        source, target = (f"config/locks/{name}.{ending}" for ending in ("in", "txt"))
        command = [resolver(), "pip", "compile", *OPTIONS.split(), *PLAIN.split(), source, "-o", target]
        subprocess.run(command, cwd=ROOT, check=True)


def resolver() -> str:
    found = shutil.which("uv")
    if found:
        return found
    if not (OWN / "bin" / "uv").exists():
        venv.create(OWN, with_pip=True)
        subprocess.run([OWN / "bin" / "pip", "install", "--quiet", "uv"], check=True)
    return str(OWN / "bin" / "uv")


if __name__ == "__main__":
    main()
