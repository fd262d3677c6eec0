"""The way upward out of the environment: what works, what is refused by name, and that no secret shows."""

from collections.abc import Mapping
from pathlib import Path

import asyncssh
import pytest

from config.checks import look, upward
from config.settings import Settings, read_settings
from config.upstream import way_of
from reports.sealing.keys import pem
from safety.errors import BadInput
from tests.cast import NOW
from tests.signing import new_key

SECRET = "not-for-the-log"
CERTIFICATE = pem(new_key().certificate).decode()
KEY = asyncssh.generate_private_key("ssh-ed25519")
HOST_KEY = KEY.export_public_key().decode()
PRIVATE = KEY.export_private_key().decode()
SFTP = f"sftp://hill:{SECRET}@city.example:2222/in"
MAIL = f"smtps://hill:{SECRET}@mail.example?from=hill@county.example&to=safety@city.example"


def read(tmp_path: Path, **given: str) -> Settings:
    names = {f"SAFE_CAMPUS_{name}": value for name, value in given.items()}
    return read_settings({"SAFE_CAMPUS_DATA": str(tmp_path), **names})


@pytest.mark.parametrize(
    ("given", "name", "place"),
    [
        (
            {"URL": "https://city.example", "TOKEN": SECRET, "CERTIFICATE": CERTIFICATE},
            "https",
            "https://city.example",
        ),
        (
            {"URL": "http://127.0.0.1:9", "TOKEN": SECRET, "CERTIFICATE": CERTIFICATE},
            "https",
            "http://127.0.0.1:9",
        ),
        ({"URL": MAIL}, "smtp", "safety@city.example"),
        ({"URL": SFTP, "HOST_KEY": HOST_KEY}, "sftp", "city.example:/in"),
        (
            {"URL": "sftp://hill@city.example/in", "HOST_KEY": HOST_KEY, "KEY": PRIVATE},
            "sftp",
            "city.example:/in",
        ),
        ({"URL": "file:///mnt/city%20share"}, "folder", "/mnt/city share"),
    ],
)
def test_each_kind_of_address_is_a_way(
    tmp_path: Path, given: Mapping[str, str], name: str, place: str
) -> None:
    settings = read(tmp_path, **{f"UPSTREAM_{key}": value for key, value in given.items()})
    assert settings.upstream is not None
    way = way_of(settings.upstream)
    assert (way.name, way.place) == (name, place)
    for shown in (repr(settings), repr(way), way.place):
        assert SECRET not in shown
        assert PRIVATE[100:140] not in shown


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"URL": "ftp://city.example"}, "URL", "upstream-scheme"),
        ({"URL": "https://city.example/in", "TOKEN": "t"}, "URL", "upstream-unread"),
        ({"URL": "https://city.example:port", "TOKEN": "t"}, "URL", "upstream-unread"),
        (
            {"URL": "http://city.example", "TOKEN": "t", "CERTIFICATE": CERTIFICATE},
            "URL",
            "upstream-plain",
        ),
        ({"URL": "https://city.example", "CERTIFICATE": CERTIFICATE}, "TOKEN", "upstream-needs"),
        ({"URL": "https://city.example", "TOKEN": "t"}, "CERTIFICATE", "upstream-needs"),
        (
            {"URL": "https://city.example", "TOKEN": "t", "CERTIFICATE": "x"},
            "CERTIFICATE",
            "certificate-unread",
        ),
        ({"URL": "smtps://mail.example?from=a@b.example"}, "URL", "upstream-mail"),
        ({"URL": "smtps://mail.example?to=a@b.example"}, "URL", "upstream-mail"),
        ({"URL": SFTP}, "HOST_KEY", "upstream-needs"),
        ({"URL": "sftp://hill@city.example/in", "HOST_KEY": HOST_KEY}, "KEY", "upstream-needs"),
        ({"URL": SFTP, "HOST_KEY": "ssh-ed25519 AAAA"}, "HOST_KEY, SAFE_CAMPUS_UPSTREAM_KEY", "upstream-key"),
        ({"URL": "sftp://city.example/in", "HOST_KEY": HOST_KEY}, "URL", "upstream-unread"),
        ({"URL": "file://server/share"}, "URL", "upstream-unread"),
    ],
)
def test_what_can_never_work_is_named(
    tmp_path: Path, given: Mapping[str, str], field: str, code: str
) -> None:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, **{f"UPSTREAM_{key}": value for key, value in given.items()})
    (problem,) = caught.value.problems
    assert (problem.field, problem.code) == (f"SAFE_CAMPUS_UPSTREAM_{field}", code)
    assert SECRET not in str(caught.value) + repr(problem)


def test_an_unset_way_is_off(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert (settings.upstream, settings.operator) == (None, None)


async def test_the_doctor_says_where_it_goes_and_that_none_is_nothing_wrong(tmp_path: Path) -> None:
    there = await look("upward", upward, read(tmp_path, UPSTREAM_URL=MAIL), NOW)
    assert (there.good, there.detail) == (True, "smtp safety@city.example")
    none = await look("upward", upward, read(tmp_path), NOW)
    assert (none.good, none.detail) == (True, "SAFE_CAMPUS_UPSTREAM_URL: -")


def test_secrets_may_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(SFTP + "\n")
    (tmp_path / "host").write_text(HOST_KEY)
    settings = read(
        tmp_path,
        UPSTREAM_URL_FILE=str(tmp_path / "url"),
        UPSTREAM_HOST_KEY_FILE=str(tmp_path / "host"),
    )
    assert settings.upstream is not None
    assert settings.upstream.url == SFTP


def test_the_operators_mail_needs_both_settings(tmp_path: Path) -> None:
    url = "smtp://mail.example:2525?from=campus@county.example"
    assert read(tmp_path, SMTP_URL=url).operator is None
    told = read(tmp_path, SMTP_URL=url, OPERATOR_MAIL="ops@county.example").operator
    assert told is not None
    assert (told.server.secure, told.server.port, told.address) == ("starttls", 2525, "ops@county.example")
    for given in (
        {"SMTP_URL": url, "OPERATOR_MAIL": "nobody"},
        {"SMTP_URL": "https://x"},
        {"SMTP_URL": "smtp://x"},
    ):
        with pytest.raises(BadInput):
            read(tmp_path, **given)
