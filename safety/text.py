"""Every sentence on a screen, in both languages: `safety/locale/*.toml`, one record per key.

A record is `"accounts.title" = { zh = "账号", en = "Accounts" }`; `{name}` marks a placeholder. A file that
repeats a
key, leaves a language out or names different placeholders in the two is refused when it is read.
"""

from __future__ import annotations

import functools
import string
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LANGUAGES = ("zh", "en")
LOCALE_FOLDER = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True)
class Text:
    """A label that lives in a declaration rather than in the catalogue."""

    zh: str
    en: str

    def to(self, lang: str) -> str:
        """The label in one language; anything but `en` is Chinese."""
        return self.en if lang == "en" else self.zh


class CatalogueError(Exception):
    """A locale file that cannot be used; the message names file and key."""


class Catalogue:
    """Sentences by key. With `strict`, a missing key raises KeyError; without, the key itself is shown."""

    def __init__(self, entries: Mapping[str, Text], strict: bool = False) -> None:
        self._entries = dict(entries)
        self.strict = strict

    @classmethod
    def load(
        cls, folder: Path = LOCALE_FOLDER, strict: bool = False, only: Collection[str] | None = None
    ) -> Catalogue:
        """Read a folder's files, all or those named. Raises CatalogueError naming the file and key of the first bad
        record.
        """
        entries: dict[str, Text] = {}
        for path in sorted(folder.glob("*.toml")):
            if only is not None and path.name not in only:
                continue
            for key, text in _records(path):
                if key in entries:
                    raise CatalogueError(f"{path.name}: {key}: given twice")
                entries[key] = text
        return cls(entries, strict)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def text(self, key: str) -> Text:
        """Both languages of one key."""
        found = self._entries.get(key)
        if found is not None:
            return found
        if self.strict:
            raise KeyError(f"no text for {key!r} in safety/locale")
        return Text(key, key)

    def t(self, key: str, lang: str, **values: Any) -> str:
        """The sentence in one language, its placeholders filled."""
        sentence = self.text(key).to(lang)
        return sentence.format_map(_Values(values)) if "{" in sentence else sentence


class _Values(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def _records(path: Path) -> Iterator[tuple[str, Text]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    for key, record in content.items():
        yield key, _text(path.name, key, record)


def _text(file: str, key: str, record: object) -> Text:
    if not isinstance(record, dict) or set(record) != set(LANGUAGES):
        raise CatalogueError(f"{file}: {key}: needs exactly zh and en")
    text = Text(zh=str(record["zh"]), en=str(record["en"]))
    if not (text.zh.strip() and text.en.strip()):
        raise CatalogueError(f"{file}: {key}: a language is empty")
    if _placeholders(text.zh) != _placeholders(text.en):
        raise CatalogueError(f"{file}: {key}: the languages name different placeholders")
    return text


def _placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@functools.cache
def catalogue() -> Catalogue:
    """The product's own catalogue, read once."""
    return Catalogue.load()


def t(key: str, lang: str, **values: Any) -> str:
    """One sentence of the product's own catalogue."""
    return catalogue().t(key, lang, **values)


def pick_language(accept_language: str) -> str:
    """`Accept-Language` → "zh" or "en": the first of the two that the browser names by weight; Chinese
    otherwise.
    """
    best, chosen = 0.0, "zh"
    for part in accept_language.split(","):
        name, _, rest = part.strip().partition(";")
        lang = name.strip().lower()[:2]
        weight = _weight(rest)
        if lang in LANGUAGES and weight > best:
            best, chosen = weight, lang
    return chosen


def _weight(parameter: str) -> float:
    try:
        return float(parameter.strip().removeprefix("q=")) if parameter.strip() else 1.0
    except ValueError:
        return 0.0
