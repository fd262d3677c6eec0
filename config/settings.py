"""Frozen settings from the environment, read once, at the composition root.

Every variable is named `SAFE_CAMPUS_…`; each secret may instead be given as `…_FILE`, a file that holds it.
A value that cannot be used raises BadInput whose `field` is the variable's name, so that whoever starts the
service is told which one to mend.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from config.upstream import Upstream, read_operator, read_upstream
from reports.delivery.mail import Operator
from safety.clock import ZONE, Clock, FileClock, SystemClock
from safety.errors import BadInput

PREFIX = "SAFE_CAMPUS_"
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
SECRET_LENGTH = 32
DATABASE_SCHEMES = {"sqlite", "postgresql"}


@dataclass(frozen=True)
class Settings:
    """All that may differ between two installations.

    `database_url` is `sqlite:///relative/or//absolute/path.db` or `postgresql://…`; `data` is the folder for
    everything that is a file (evidence, fonts, the generated keys); `jobs` says whether this process also
    runs jobs. `signing_key` is a PKCS#12 to seal returns with, in place of the key in the data folder. `upstream` is
    the way to the level above and `operator` who is told by mail of what does not arrive, where they are set.
    """

    database_url: str = field(repr=False)
    data: Path
    secret_key: str = field(repr=False)
    base_url: str
    test_clock: Path | None = None
    jobs: bool = True
    signing_key: bytes | None = field(default=None, repr=False)
    signing_password: str | None = field(default=None, repr=False)
    upstream: Upstream | None = None
    operator: Operator | None = None

    @property
    def secure_cookies(self) -> bool:
        """Cookies are Secure exactly when people reach the service by https."""
        return self.base_url.startswith("https://")

    @property
    def host(self) -> str:
        """The host name that people use, for the list of allowed hosts."""
        return urlsplit(self.base_url).hostname or ""

    def clock(self) -> Clock:
        """The clock of this process: the machine's, or the test clock's file."""
        return FileClock(self.test_clock) if self.test_clock else SystemClock()


def read_settings(
    environ: Mapping[str, str] | None = None, default_base_url: str = "http://127.0.0.1:8000"
) -> Settings:
    """Settings from `environ` (the process's own when None).

    Raises BadInput naming the variable. Makes the data folder and, for an instance on loopback that was given
    no secret key, a random key inside it.
    """
    source = os.environ if environ is None else environ
    _check_zone(source)
    base_url = _base_url(source, default_base_url)
    data = data_folder(source)
    return Settings(
        database_url=database_url(source),
        data=data,
        secret_key=_secret_key(source, data, base_url),
        base_url=base_url,
        test_clock=_test_clock(source),
        signing_key=binary_secret(source, "SIGNING_KEY"),
        signing_password=secret(source, "SIGNING_PASSWORD"),
        upstream=read_upstream(partial(secret, source)),
        operator=read_operator(partial(secret, source)),
    )


def data_folder(environ: Mapping[str, str] | None = None) -> Path:
    """`SAFE_CAMPUS_DATA`, by default `var` in the working folder."""
    source = os.environ if environ is None else environ
    return Path(source.get(PREFIX + "DATA") or "var")


def database_url(environ: Mapping[str, str] | None = None) -> str:
    """`SAFE_CAMPUS_DATABASE`, by default the embedded SQLite in the data folder.

    Raises BadInput for a scheme other than sqlite and postgresql.
    """
    source = os.environ if environ is None else environ
    url = secret(source, "DATABASE") or f"sqlite:///{data_folder(source) / 'safe-campus.db'}"
    if urlsplit(url).scheme not in DATABASE_SCHEMES:
        raise BadInput.one(PREFIX + "DATABASE", "setting-database-scheme", allowed="sqlite, postgresql")
    return url


def secret(environ: Mapping[str, str], name: str) -> str | None:
    """The value of `SAFE_CAMPUS_<name>`, or what the file named by `SAFE_CAMPUS_<name>_FILE` holds, or None.

    Raises BadInput when both are given or the file cannot be read.
    """
    plain, variable = environ.get(PREFIX + name), f"{PREFIX}{name}_FILE"
    path = environ.get(variable)
    if not path:
        return plain or None
    if plain:
        raise BadInput.one(variable, "setting-given-twice", other=PREFIX + name)
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput.one(variable, "setting-file-unreadable", path=path) from error


def binary_secret(environ: Mapping[str, str], name: str) -> bytes | None:
    """As `secret`, of something that is no text: base64 in the variable itself, or a file that holds its bytes.

    Raises BadInput as `secret` does, and when the variable's value is not base64.
    """
    plain, variable = environ.get(PREFIX + name), f"{PREFIX}{name}_FILE"
    path = environ.get(variable)
    if path and plain:
        raise BadInput.one(variable, "setting-given-twice", other=PREFIX + name)
    try:
        if path:
            return Path(path).read_bytes()
        return base64.b64decode("".join(plain.split()), validate=True) if plain else None
    except OSError as error:
        raise BadInput.one(variable, "setting-file-unreadable", path=path) from error
    except (binascii.Error, ValueError) as error:
        raise BadInput.one(PREFIX + name, "setting-not-base64") from error


def _check_zone(environ: Mapping[str, str]) -> None:
    if (environ.get(PREFIX + "TIMEZONE") or ZONE.key) != ZONE.key:
        raise BadInput.one(PREFIX + "TIMEZONE", "setting-timezone", allowed=ZONE.key)


def _base_url(environ: Mapping[str, str], default: str) -> str:
    variable = PREFIX + "BASE_URL"
    url = (environ.get(variable) or default).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        raise BadInput.one(variable, "setting-base-url", value=url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise BadInput.one(variable, "setting-plain-http", value=url)
    return url


def _test_clock(environ: Mapping[str, str]) -> Path | None:
    variable = PREFIX + "TEST_CLOCK"
    path = environ.get(variable)
    if not path:
        return None
    try:
        FileClock(Path(path)).now()
    except ValueError as error:
        raise BadInput.one(variable, "setting-test-clock", path=path) from error
    return Path(path)


def _secret_key(environ: Mapping[str, str], data: Path, base_url: str) -> str:
    variable = PREFIX + "SECRET_KEY"
    key = secret(environ, "SECRET_KEY")
    if key is None:
        if urlsplit(base_url).hostname not in LOOPBACK:
            raise BadInput.one(variable, "setting-secret-missing")
        key = _kept_key(data)
    if len(key) < SECRET_LENGTH:
        raise BadInput.one(variable, "setting-secret-short", least=SECRET_LENGTH)
    return key


def _kept_key(data: Path) -> str:
    """The key made at the first start and kept in the data folder, readable by its owner only.

    It is written aside and linked into place: of two processes starting at once, both read one whole key.
    """
    place = data / "secret-key"
    try:
        data.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            aside = data / f".secret-key.{secrets.token_hex(8)}"
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(48))
            try:
                os.link(aside, place)
            except FileExistsError:
                pass  # another process was first: its key is the one
            finally:
                aside.unlink()
        return place.read_text(encoding="ascii").strip()
    except OSError as error:
        raise BadInput.one(PREFIX + "DATA", "setting-data-folder", path=str(data)) from error
