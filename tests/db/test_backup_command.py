"""`safe-campus backup` and `restore`, as an operator runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def command(database_url: str, tmp_path: Path):
    """Runs `safe-campus` with its own data folder on a migrated, empty database."""

    def run(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-c", "from config.cli import main; main()", "--lang", "zh", *arguments],
            cwd=ROOT, capture_output=True, text=True, check=False,
            env=os.environ | {"SAFE_CAMPUS_DATABASE": database_url, "SAFE_CAMPUS_DATA": str(tmp_path / "data")},
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done

    return run


def test_backup_then_restore(command, tmp_path: Path) -> None:
    photo = tmp_path / "data" / "evidence" / "ab" / "photo"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"x" * 1000)
    saved = json.loads(command("backup", "--json", tmp_path / "one.zip").stdout)
    photo.unlink()
    restored = json.loads(command("restore", "--json", tmp_path / "one.zip").stdout)
    assert restored["rows"] == saved["rows"]
    assert saved["rows"]["migration"] > 0
    assert photo.read_bytes() == b"x" * 1000


def test_a_file_that_exists_is_replaced_only_when_asked(command, tmp_path: Path) -> None:
    (tmp_path / "one.zip").write_bytes(b"the only copy of last year")
    refused = command("backup", tmp_path / "one.zip", code=1)
    assert "--force" in refused.stderr
    assert (tmp_path / "one.zip").read_bytes() == b"the only copy of last year"
    command("backup", "--force", tmp_path / "one.zip")
    command("restore", tmp_path / "one.zip")


def test_what_is_no_regular_file_is_never_replaced(command, tmp_path: Path) -> None:
    """Nor a device: an administrator's `--force /dev/null` would take it from everybody."""
    os.mkfifo(tmp_path / "pipe")
    command("backup", "--force", tmp_path / "pipe", code=1)
    assert (tmp_path / "pipe").is_fifo()


def test_a_truncated_backup_is_refused_in_the_operators_language(command, tmp_path: Path) -> None:
    command("backup", tmp_path / "one.zip")
    whole = (tmp_path / "one.zip").read_bytes()
    (tmp_path / "half.zip").write_bytes(whole[: len(whole) // 2])
    refused = command("restore", tmp_path / "half.zip", code=1)
    assert "不完整" in refused.stderr
    assert refused.stdout == ""
