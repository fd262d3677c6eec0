"""The way upward and the operator's mail, as the environment gives them. An unset way is off, not failing.

| scheme | what the address says |
|---|---|
| `https://host[:port]` | another instance of this product; http on loopback only |
| `smtps://user@host[:port]?from=…&to=…`, `smtp://…` | mail: TLS from the first byte, or STARTTLS (none on loopback) |
| `sftp://user@host[:port]/folder` | a folder on a server whose host key is known |
| `file:///folder` | a folder of this machine, such as a share |

The password of mail and SFTP is the token, unless it stands in the address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from reports.delivery.mail import MailServer, Operator
from reports.transports import Transport, guarded
from safety.errors import BadInput

if TYPE_CHECKING:
    from cryptography import x509

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
URL, TOKEN, CERTIFICATE = "UPSTREAM_URL", "UPSTREAM_TOKEN", "UPSTREAM_CERTIFICATE"
HOST_KEY, KEY = "UPSTREAM_HOST_KEY", "UPSTREAM_KEY"
SMTP_URL, OPERATOR = "SMTP_URL", "OPERATOR_MAIL"

Read = Callable[[str], str | None]
"""Gives the value of `SAFE_CAMPUS_<name>`, from the environment or from the file that it names."""


@dataclass(frozen=True)
class Upstream:
    """The settings of the way upward as texts, read but not used yet."""

    url: str = field(repr=False)
    token: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    host_key: str = field(default="", repr=False)
    key: str = field(default="", repr=False)


def read_upstream(read: Read) -> Upstream | None:
    """The way upward; None where none is set. Raises BadInput naming the variable, for what can never work."""
    url = read(URL)
    if not url:
        return None
    found = Upstream(url, *((read(name) or "") for name in (TOKEN, CERTIFICATE, HOST_KEY, KEY)))
    way_of(found)
    return found


def way_of(upstream: Upstream) -> Transport:
    """The transport of an address, which ends in time and says no secret. Raises BadInput naming the variable."""
    parts = _split(upstream.url, URL)
    make = WAYS.get(parts.scheme)
    if make is None:
        raise _bad(URL, "upstream-scheme", allowed=", ".join(sorted(WAYS)))
    given = unquote(parts.password or "")
    return guarded(make(parts, upstream), (upstream.token, given, parts.password or "", upstream.key))


def _bad(name: str, code: str, **values: object) -> BadInput:
    return BadInput.one(f"SAFE_CAMPUS_{name}", code, **values)


def _split(url: str, name: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise _bad(name, "upstream-unread") from error
    return parts


# ---------------------------------------------------------------- one function for each kind of address
def _https(parts: SplitResult, upstream: Upstream) -> Transport:
    from reports.transports.https import Https

    if not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
        raise _bad(URL, "upstream-unread")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise _bad(URL, "upstream-plain")
    if not upstream.token:
        raise _bad(TOKEN, "upstream-needs", scheme=parts.scheme)
    return Https(f"{parts.scheme}://{parts.netloc}", upstream.token, _certificate(upstream))


def _certificate(upstream: Upstream) -> x509.Certificate:
    from reports.sealing.keys import BadKey, certificates_in

    if not upstream.certificate:
        raise _bad(CERTIFICATE, "upstream-needs", scheme="https")
    try:
        (certificate,) = certificates_in(upstream.certificate.encode())
    except (BadKey, ValueError) as error:
        raise _bad(CERTIFICATE, "certificate-unread") from error
    return certificate


def _mail(parts: SplitResult, upstream: Upstream) -> Transport:
    from reports.transports.smtp import Mail

    to = parse_qs(parts.query).get("to", [""])[0]
    if "@" not in to:
        raise _bad(URL, "upstream-mail")
    return Mail(_server(parts, URL, upstream.token), to)


def _server(parts: SplitResult, name: str, token: str = "") -> MailServer:
    sender = parse_qs(parts.query).get("from", [""])[0]
    if not parts.hostname or "@" not in sender:
        raise _bad(name, "upstream-mail")
    secure = "tls" if parts.scheme == "smtps" else "starttls"
    if secure == "starttls" and parts.hostname in LOOPBACK:
        secure = "plain"
    port = parts.port or {"tls": 465, "starttls": 587, "plain": 25}[secure]
    password = unquote(parts.password or "") or token
    return MailServer(parts.hostname, port, secure, sender, unquote(parts.username or ""), password)


def _sftp(parts: SplitResult, upstream: Upstream) -> Transport:
    import asyncssh

    from reports.transports.sftp import Sftp

    if not parts.hostname or not parts.username:
        raise _bad(URL, "upstream-unread")
    if not upstream.host_key:
        raise _bad(HOST_KEY, "upstream-needs", scheme="sftp")
    password = unquote(parts.password or "") or upstream.token or None
    if not password and not upstream.key:
        raise _bad(KEY, "upstream-needs", scheme="sftp")
    where = (parts.hostname, parts.port or 22, unquote(parts.path), unquote(parts.username))
    try:
        return Sftp(*where, upstream.host_key, password=password, private_key=upstream.key or None)
    except asyncssh.KeyImportError as error:
        raise _bad(f"{HOST_KEY}, SAFE_CAMPUS_{KEY}", "upstream-key") from error


def _folder(parts: SplitResult, upstream: Upstream) -> Transport:
    from reports.transports.folder import Folder

    del upstream
    if parts.netloc or not parts.path.startswith("/"):
        raise _bad(URL, "upstream-unread")
    return Folder(Path(unquote(parts.path)))


WAYS: Mapping[str, Callable[[SplitResult, Upstream], Transport]] = {
    "https": _https,
    "http": _https,
    "smtp": _mail,
    "smtps": _mail,
    "sftp": _sftp,
    "file": _folder,
}


# ---------------------------------------------------------------- whom to tell
def read_operator(read: Read) -> Operator | None:
    """The operator's mail; None unless both the server and the address are set. Raises BadInput naming the variable."""
    url, address = read(SMTP_URL), read(OPERATOR)
    if not url:
        return None
    parts = _split(url, SMTP_URL)
    if parts.scheme not in {"smtp", "smtps"}:
        raise _bad(SMTP_URL, "upstream-scheme", allowed="smtp, smtps")
    server = _server(parts, SMTP_URL)
    if address and "@" not in address:
        raise _bad(OPERATOR, "upstream-mail")
    return Operator(server, address) if address else None
