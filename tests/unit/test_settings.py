import stat
from pathlib import Path

import pytest

from config.settings import Settings, read_settings
from safety.clock import FileClock, SystemClock
from safety.errors import BadInput

KEY = "k" * 40


def read(tmp_path: Path, **given: str) -> Settings:
    environ = {"SAFE_CAMPUS_DATA": str(tmp_path / "data")}
    return read_settings(environ | {f"SAFE_CAMPUS_{name}": value for name, value in given.items()})


def test_the_defaults_serve_a_demo_on_loopback(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.database_url == f"sqlite:///{tmp_path}/data/safe-campus.db"
    assert not settings.secure_cookies
    assert settings.host == "127.0.0.1"
    assert isinstance(settings.clock(), SystemClock)


def test_on_loopback_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first, second = read(tmp_path), read(tmp_path)
    kept = tmp_path / "data" / "secret-key"
    assert first.secret_key == second.secret_key == kept.read_text()
    assert len(first.secret_key) >= 32
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [file.name for file in kept.parent.iterdir()] == ["secret-key"]


def test_secrets_are_read_from_files_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    settings = read(
        tmp_path,
        SECRET_KEY_FILE=str(tmp_path / "key"),
        BASE_URL="https://safe.example.cn/",
        DATABASE="postgresql://u:hidden@h/d",
    )
    assert settings.secret_key == KEY
    assert settings.secure_cookies
    assert settings.base_url == "https://safe.example.cn"
    assert KEY not in repr(settings)
    assert "hidden" not in repr(settings)


def test_the_test_clock_drives_the_process(tmp_path: Path) -> None:
    (tmp_path / "clock").write_text("2026-09-30T15:59:00Z")
    clock = read(tmp_path, TEST_CLOCK=str(tmp_path / "clock")).clock()
    assert isinstance(clock, FileClock)
    assert clock.now().isoformat() == "2026-09-30T15:59:00+00:00"


@pytest.mark.parametrize(
    ("given", "variable", "code"),
    [
        ({"DATABASE": "mysql://h/d"}, "DATABASE", "setting-database-scheme"),
        ({"TIMEZONE": "Europe/Paris"}, "TIMEZONE", "setting-timezone"),
        ({"BASE_URL": "safe.example.cn"}, "BASE_URL", "setting-base-url"),
        ({"BASE_URL": "https://safe.example.cn/sub"}, "BASE_URL", "setting-base-url"),
        ({"BASE_URL": "http://safe.example.cn"}, "BASE_URL", "setting-plain-http"),
        ({"BASE_URL": "https://safe.example.cn"}, "SECRET_KEY", "setting-secret-missing"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY", "setting-secret-short"),
        ({"SECRET_KEY_FILE": "/no/such/file"}, "SECRET_KEY_FILE", "setting-file-unreadable"),
        ({"SECRET_KEY": KEY, "SECRET_KEY_FILE": "/x"}, "SECRET_KEY_FILE", "setting-given-twice"),
        ({"TEST_CLOCK": "/no/such/clock"}, "TEST_CLOCK", "setting-test-clock"),
        ({"DATA": "/dev/null/x"}, "DATA", "setting-data-folder"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, given: dict[str, str], variable: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, **given)
    assert [(found.field, found.code) for found in caught.value.problems] == [
        ("SAFE_CAMPUS_" + variable, code)
    ]
