"""House rules that no other tool checks: they are tests, so that breaking one says where."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("config", "reports", "checklists", "drills", "safety")
MOST_LINES = 400
# These decide on plain values: the import contract names each one that exists (and `**.rules`).
PURE = (
    "safety.calendar",
    "safety.standards",
    "safety.duties",
    "safety.measures",
    "safety.scoring",
    "reports.compile",
)
CLOCK_CALLS = {"now", "utcnow", "today"}
CLOCK_OWNERS = {"datetime", "date"}


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / name for name in listing.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def product_modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (ROOT / package).rglob("*.py")


def clock_reads(tree: ast.AST) -> Iterator[int]:
    """Line numbers at which the wall clock is read: datetime.now, date.today, time.time and their kin."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = (
                node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            )
            if (owner in CLOCK_OWNERS and node.attr in CLOCK_CALLS) or (owner, node.attr) == ("time", "time"):
                yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (node.lineno for name in node.names if name.name in {"time", "time_ns"})


@pytest.mark.parametrize(
    "source",
    ["datetime.now(UTC)", "dt.datetime.utcnow()", "date.today()", "time.time()", "from time import time"],
)
def test_the_clock_lint_sees_every_spelling(source: str) -> None:
    assert list(clock_reads(ast.parse(source))) == [1]


def test_the_clock_lint_leaves_the_injected_clock_alone() -> None:
    assert not list(clock_reads(ast.parse("clock.now(); time.monotonic(); datetime(2026, 1, 1)")))


def test_only_the_clock_module_reads_the_wall_clock() -> None:
    allowed = ROOT / "safety" / "clock.py"
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in product_modules()
        if path != allowed
        for line in clock_reads(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_modules_stay_readable_in_one_sitting() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked()
        if path.suffix == ".py" and "piccolo_migrations" not in path.parts
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) >= MOST_LINES
    }
    assert long == {}


# Spelled in pieces, so that this file passes its own check.
MACHINE_PATHS = re.compile("|".join(rf"(?<![\w.*-])/{name}/\w" for name in ("home", "root", "Users", "work")))
REGISTRIES = re.compile(
    r"https?://[^\s/]*("
    + "|".join(("py" + "pi", "python" + "hosted", "npm" + "js", "artifact", "nexus"))
    + ")"
)


def test_nothing_tracked_names_a_machine_or_a_registry() -> None:
    found = []
    for path in tracked():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
            for number, line in enumerate(lines, start=1)
            if MACHINE_PATHS.search(line) or REGISTRIES.search(line)
        ]
    assert found == []


@pytest.mark.parametrize("lock", ["runtime", "develop"])
def test_a_lock_holds_names_versions_and_hashes_and_nothing_else(lock: str) -> None:
    text = (ROOT / "config" / "locks" / f"{lock}.txt").read_text(encoding="utf-8")
    shape = re.compile(
        r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^ ]+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?"
    )
    assert [line for line in text.splitlines() if line and not shape.fullmatch(line)] == []


def test_the_develop_lock_holds_the_runtime_lock() -> None:
    runtime, develop = (
        set(
            re.findall(
                r"^[^ ]+==[^ ]+", (ROOT / "config" / "locks" / f"{name}.txt").read_text(), re.MULTILINE
            )
        )
        for name in ("runtime", "develop")
    )
    assert runtime - develop == set()


def test_every_pure_module_is_in_the_import_contract() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    named = next(one["source_modules"] for one in contracts if one["name"].startswith("pure modules"))
    there = {name for name in PURE if (ROOT / name.replace(".", "/")).with_suffix(".py").exists()}
    assert there - set(named) == set()


def test_links_between_documents_lead_somewhere() -> None:
    dead = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in tracked()
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert dead == []
