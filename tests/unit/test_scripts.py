"""What the Makefile stands on."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def setup() -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_script", ROOT / "scripts" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules["setup_script"] = module
    spec.loader.exec_module(module)
    return module


def test_what_is_there_asks_for_nothing(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "apt_get", lambda *_: pytest.fail("nothing was missing"))
    setup.install_system([setup.Need("a library", lambda: True, ("liba",))])


def test_elsewhere_what_is_missing_is_named(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "is_debian", lambda: False)
    with pytest.raises(SystemExit) as stopped:
        setup.install_system(
            [setup.Need("PostgreSQL server", lambda: False, ("postgresql-15", "postgresql"))]
        )
    assert stopped.value.code == 1
    said = capsys.readouterr().err
    assert "missing on this machine: PostgreSQL server" in said
    assert "apt-get install postgresql\n" in said


def test_debian_as_root_installs_what_is_missing(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[tuple[str, ...]] = []
    monkeypatch.setattr(setup, "is_debian", lambda: True)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(setup, "first_available", lambda need: need.packages[0])
    monkeypatch.setattr(setup, "apt_get", lambda *arguments: installed.append(arguments))
    setup.install_system([setup.Need("a library", lambda: bool(installed), ("liba", "libb"))])
    assert installed == [("update",), ("install", "-y", "--no-install-recommends", "liba")]


def test_a_library_is_found_by_loading_it(setup: ModuleType) -> None:
    assert setup.library("libc.so.6")()
    assert not setup.library("libno-such-thing.so.9")()


RUN = ("-m", "pytest", "-q", "-p", "tests.plugin_no_skip", "-c", os.devnull)


@pytest.mark.parametrize(
    ("body", "fails"),
    [
        ("import pytest\n@pytest.mark.skip\ndef test_it(): pass", True),
        ("import pytest\npytest.importorskip('no_such_module')\ndef test_it(): pass", True),
        ("import pytest\n@pytest.mark.xfail\ndef test_it(): assert False", False),
    ],
    ids=["skipped", "module-skipped", "expected-failure"],
)
@pytest.mark.parametrize("processes", ["0", "1"])
def test_a_run_that_skips_fails(tmp_path: Path, body: str, fails: bool, processes: str) -> None:
    (tmp_path / "test_it.py").write_text(body + "\ndef test_another(): pass\n")
    outcome = subprocess.run(
        [sys.executable, *RUN, "-n", processes, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (outcome.returncode != 0) == fails, outcome.stdout
    # A process of its own tells of what it did not collect as of an error.
    assert ("SKIPPED, so this run fails" in outcome.stdout or "ERROR" in outcome.stdout) == fails
