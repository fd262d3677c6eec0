"""What an evidence pack says of itself to a person who has nothing but the pack (PURE)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from reports.document import Words
from reports.layout.wording import Writer
from safety.calendar import Period
from safety.text import Catalogue, Text

README, SUMS = "说明.txt", "SHA256SUMS"
KINDS = (
    ("manifest.json", "manifest"),
    (SUMS, "sums"),
    ("return-v*/return.pdf", "pdf"),
    ("return-v*/return.json", "json"),
    ("return-v*/seal.json", "seal"),
    ("return-v*/scan-*", "scan"),
    ("received.json", "received"),
    ("entries/*-events.csv", "events"),
    ("entries/*.csv", "entries"),
    ("notes.json", "notes"),
    ("trail.csv", "trail"),
)
"""Which files there are, and the end of the catalogue's key that says what each is; the first that fits counts."""
WITHHELD = ("people", "small", "others", "drafts")


@dataclass(frozen=True, slots=True)
class Packed:
    """What a pack is of: a school (by code) and quarter with these versions of its return, packed at an instant."""

    code: str
    name: Words
    period: Period
    versions: tuple[int, ...]
    packed_at: datetime


def readme(packed: Packed, files: Iterable[str], ledgers: Mapping[str, Text], texts: Catalogue) -> bytes:
    """The text, Chinese before English, as Windows' editor reads it: UTF-8 with its mark, CRLF. `ledgers`: titles by
    name.
    """
    names = ["manifest.json", SUMS, *files]
    lines: list[str] = []
    for lang in ("zh", "en"):
        write = Writer(lang, lambda key, lang=lang, **values: texts.t(key, lang, **values))
        lines += [*_told(packed, names, ledgers, write), ""]
    return "\r\n".join(lines).encode("utf-8-sig")


def _told(packed: Packed, names: Iterable[str], ledgers: Mapping[str, Text], write: Writer) -> Iterable[str]:
    school, newest = write.word(packed.name), packed.versions[-1]
    said = {"school": school, "code": packed.code, "period": packed.period.id}
    yield write.text("pack.readme.title", **said)
    versions = write.text("list.comma").join(str(version) for version in packed.versions)
    at = write.moment(packed.packed_at)
    yield write.text("pack.readme.what", versions=versions, at=at, **said)
    yield from ("", write.text("pack.readme.files"))
    yield from (f"  {name}  {_what(name, ledgers, write)}" for name in names)
    yield from ("", write.text("pack.readme.digests"))
    yield from (write.text(f"pack.readme.digests-{system}") for system in ("linux", "windows"))
    yield from ("", write.text("pack.readme.verify"))
    yield write.text("pack.readme.verify-how", file=f"return-v{newest}/return.pdf")
    yield from ("", write.text("pack.readme.withheld"))
    yield from (f"  - {write.text(f'pack.readme.withheld-{name}')}" for name in WITHHELD)


def _what(name: str, ledgers: Mapping[str, Text], write: Writer) -> str:
    kind = _kind(name)
    stem = name.rpartition("/")[2].removesuffix(".csv").removesuffix("-events")
    title = ledgers[stem].to(write.lang) if stem in ledgers else ""
    return write.text(f"pack.readme.file-{kind}", ledger=title)


def _kind(name: str) -> str:
    for pattern, kind in KINDS:
        if fnmatchcase(name, pattern):
            return kind
    raise ValueError(f"nothing is told of {name} in a pack")


def sums(digests: Mapping[str, str]) -> bytes:
    """As `sha256sum` writes and reads it: digest, two spaces, name."""
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()
