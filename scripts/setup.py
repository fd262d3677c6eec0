"""Make the virtual environment ready: `setup.py runtime` to serve, `setup.py develop` to run the tests too.

Runs on the bare Python it is given, with the standard library only. Each step is remembered in .venv/.done: a
second run takes a moment and needs no network. On Debian as root it installs missing system libraries;
elsewhere it names them and exits 1.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
DONE = VENV / ".done"
LOCKS = ROOT / "config" / "locks"


@dataclass(frozen=True)
class Need:
    """A system library or program: how to see that it is there, and the Debian packages that bring it."""

    name: str
    there: Callable[[], bool]
    packages: tuple[str, ...]  # the first one that this release of Debian has is installed


def library(soname: str) -> Callable[[], bool]:
    def there() -> bool:
        try:
            ctypes.CDLL(soname)
        except OSError:
            return False
        return True

    return there


def program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) for name in names)


def postgresql_server() -> bool:
    # Debian keeps the server's programs out of PATH.
    return bool(shutil.which("initdb")) or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


RUNTIME = [
    Need("Pango", library("libpangoft2-1.0.so.0"), ("libpangoft2-1.0-0",)),
    Need("HarfBuzz subsetter", library("libharfbuzz-subset.so.0"), ("libharfbuzz-subset0",)),
    Need("Fontconfig", library("libfontconfig.so.1"), ("libfontconfig1",)),
]
TESTS = [
    Need("PostgreSQL server", postgresql_server, ("postgresql-15", "postgresql")),
    Need("Chromium", program("chromium", "chromium-browser"), ("chromium",)),
    Need("Poppler's pdftoppm", program("pdftoppm"), ("poppler-utils",)),
    Need("fontconfig's fc-match", program("fc-match"), ("fontconfig",)),
    Need("Java compiler, for veraPDF", program("javac"), ("openjdk-17-jdk-headless", "default-jdk-headless")),
    Need("JAXB, for veraPDF", Path("/usr/share/java/jaxb-runtime.jar").is_file, ("libjaxb-java",)),
]


def main(kind: str) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - this file runs before anything has checked
        stop(f"Python 3.11 or newer is needed; {sys.executable} is {sys.version.split()[0]}")
    install_system(RUNTIME + (TESTS if kind == "develop" else []))
    make_environment()
    install_lock(kind)
    install_project()


def install_system(needs: list[Need]) -> None:
    """Every library and program of `needs` is there afterwards, or the process stops, naming the rest."""
    missing = [need for need in needs if not need.there()]
    if missing and is_debian() and os.geteuid() == 0:
        say(f"installing {', '.join(need.name for need in missing)}")
        apt_get("update")
        apt_get("install", "-y", "--no-install-recommends", *(first_available(need) for need in missing))
        missing = [need for need in missing if not need.there()]
    if missing:
        packages = " ".join(need.packages[-1] for need in missing)
        names = ", ".join(need.name for need in missing)
        stop(f"missing on this machine: {names}\non Debian: apt-get install {packages}\nthen run make again")


def is_debian() -> bool:
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    ids = " ".join(line.split("=", 1)[1] for line in lines if line.startswith(("ID=", "ID_LIKE=")))
    return "debian" in ids and shutil.which("apt-get") is not None


def first_available(need: Need) -> str:
    for package in need.packages:
        if subprocess.run(["apt-cache", "show", package], capture_output=True, check=False).returncode == 0:
            return package
    return need.packages[-1]


def apt_get(*arguments: str) -> None:
    outcome = subprocess.run(
        ["apt-get", "-qq", *arguments],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if outcome.returncode:
        say(outcome.stdout)


def make_environment() -> None:
    """A virtual environment made at this place; the scripts of one that was moved here point elsewhere."""
    if done("environment") == str(VENV) and PYTHON.exists():
        return
    # A run that was interrupted may have left a Python without pip.
    if done("environment") or not (PYTHON.exists() and PYTHON.with_name("pip").exists()):
        say("making .venv")
        try:
            venv.create(VENV, clear=True, symlinks=True, with_pip=True)
        except (subprocess.CalledProcessError, OSError) as error:
            stop(f"cannot make .venv ({error})\non Debian: apt-get install python3-venv")
    mark("environment", str(VENV))


def install_lock(kind: str) -> None:
    """What the lock names, at exactly these versions and hashes. The develop lock holds the runtime's too."""
    wanted = digest((LOCKS / f"{kind}.txt").read_bytes())
    if done(kind) == wanted:
        return
    say(f"installing config/locks/{kind}.txt")
    pip("--require-hashes", "-r", str(LOCKS / f"{kind}.txt"))
    mark(kind, wanted)
    if kind == "develop":
        mark("runtime", digest((LOCKS / "runtime.txt").read_bytes()))


def install_project() -> None:
    """The project itself, editable; again only when what setuptools reads has changed."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        declared = tomllib.load(file)
    parts = [declared["build-system"], declared["project"], declared["tool"]["setuptools"]]
    wanted = digest(json.dumps(parts, sort_keys=True).encode())
    if done("project") == wanted:
        return
    say("installing the project")
    pip("--no-deps", "--no-build-isolation", "-e", str(ROOT))
    mark("project", wanted)


def pip(*arguments: str) -> None:
    quiet = ("-qq", "--disable-pip-version-check", "--no-input", "--root-user-action=ignore")
    outcome = subprocess.run([PYTHON, "-m", "pip", "install", *quiet, *arguments], check=False)
    if outcome.returncode:
        stop("pip could not install; what it said is above")


def done(step: str) -> str | None:
    try:
        return (DONE / step).read_text(encoding="utf-8")
    except OSError:
        return None


def mark(step: str, value: str) -> None:
    DONE.mkdir(exist_ok=True)
    (DONE / step).write_text(value, encoding="utf-8")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def stop(text: str) -> None:
    say(text)
    sys.exit(1)


if __name__ == "__main__":
    if sys.argv[1:] not in (["runtime"], ["develop"]):
        sys.exit("usage: setup.py runtime|develop")
    main(sys.argv[1])
