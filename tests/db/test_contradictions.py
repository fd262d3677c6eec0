"""A record that was rewritten contradicts the returns that went out, even where it is sound in itself."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from reports import files
from reports.canonical import canonical
from reports.jobs import close
from reports.press import Press
from reports.sealing.keys import trust
from reports.verification.contradictions import contradictions
from safety.audit.queries import lines, verify
from safety.audit.rules import START, digest_of
from safety.database import fetch_tuples
from tests.cast import Cast
from tests.db.test_returns import CLOSE, Q3, QuickRenderer, county, me
from tests.signing import new_key
from tests.small_pdf import small_pdf

__all__ = ["county"]


class SmallPdf(QuickRenderer):
    """A page without anything on it, with the data attached."""

    async def render_return(self, document, lang="zh") -> bytes:
        return small_pdf(document.school.code, canonical(document))


@pytest.fixture
async def data(county: Cast, tmp_path: Path) -> Path:
    """The data folder of an instance whose quarter is closed and delivered."""
    key = new_key()
    trust(tmp_path, key.certificate)
    await close(Press(tmp_path, SmallPdf(tmp_path), me(), key=key), Q3, CLOSE)
    return tmp_path


async def found(data: Path, *, deep: bool = True) -> list[tuple[str, str]]:
    return [(one.school, one.reason) for one in await contradictions(data, deep=deep)]


async def rewrite(chain: int) -> None:
    """The whole chain written anew with another act in it: every line follows from the one before again."""
    previous, number = START, 0
    async for line in lines(chain):
        number += 1
        facts = line.facts if number > 1 else '{"it":"never happened"}'
        made = replace(line, facts=facts, previous=previous)
        previous = digest_of(made)
        await fetch_tuples(
            None,
            "update audit_line set facts = $1, previous = $2, digest = $3 where chain = $4 and position = $5",
            [facts, made.previous, previous, chain, line.position],
        )
    await fetch_tuples(None, "update audit_head set head = $1 where chain = $2", [previous, chain])


async def test_nothing_contradicts_what_was_left_alone(data: Path) -> None:
    assert await found(data) == []


async def test_a_chain_rewritten_as_a_whole_contradicts_the_return(data: Path, county: Cast) -> None:
    await rewrite(county.school)
    assert await verify() == []
    assert await found(data, deep=False) == [("S001", "chain")]


async def test_a_chain_cut_short_contradicts_the_return(data: Path, county: Cast) -> None:
    await fetch_tuples(None, "delete from audit_line where chain = $1", [county.school])
    assert ("S001", "chain") in await found(data)


async def test_a_return_rewritten_in_the_database_is_found(data: Path) -> None:
    await fetch_tuples(
        None, """update school_return set document = replace(document, '"made_up":false', '"made_up":true')"""
    )
    assert await found(data, deep=False) == [(code, "document") for code in ("S001", "S002", "S003")]


async def test_rewritten_with_its_digest_it_contradicts_its_file(data: Path) -> None:
    for id_, text in await fetch_tuples(None, "select id, document from school_return"):
        other = text.replace('"made_up":false', '"made_up":true')
        digest = hashlib.sha256(other.encode()).hexdigest()
        await fetch_tuples(
            None,
            "update school_return set document = $1, document_digest = $2 where id = $3",
            [other, digest, id_],
        )
    assert await found(data, deep=False) == []
    assert await found(data) == [(code, "data") for code in ("S001", "S002", "S003")]


async def test_another_file_than_was_received_is_found(data: Path) -> None:
    other = files.store(data, b"another file")
    await fetch_tuples(None, "update sealed_file set bytes_digest = $1", [other])
    assert set(await found(data)) == {
        (code, reason) for code in ("S001", "S002", "S003") for reason in ("receipt", "signature")
    }


async def test_files_that_were_changed_or_are_gone_are_found(data: Path) -> None:
    rows = await fetch_tuples(None, "select bytes_digest from sealed_file order by bytes_digest")
    changed, gone, _ = (files.path_of(data, digest) for (digest,) in rows)
    changed.write_bytes(b"changed")
    gone.unlink()
    assert sorted(reason for _, reason in await found(data)) == ["file", "file-missing"]
    assert await found(data, deep=False) == []


async def test_a_seal_of_nobody_we_trust_is_found(data: Path) -> None:
    for place in (data / "trust").glob("*.pem"):
        place.unlink()
    assert {reason for _, reason in await found(data)} == {"signature"}
