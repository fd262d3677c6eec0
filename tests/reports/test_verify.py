"""What is genuine is found genuine; whatever was changed, by whomever it was signed, is not, and says why."""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec
import pikepdf
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from config.rules import product_standards, put_in_use
from reports import queries
from reports.canonical import canonical
from reports.compile import Making, compile_return
from reports.document import Bureau, ChainHead, ReturnDocument, Words, freeze
from reports.pdf import Renderer
from reports.seal import sign
from reports.sealing.keys import SigningKey, pem, signing_key, trust
from reports.verification.verify import LARGEST, Verdict, verify
from safety.calendar import Period
from safety.duties import close_at
from tests.cast import make_cast
from tests.conftest import opened
from tests.county import make_county
from tests.reports.verapdf import validate
from tests.signing import new_key, packed

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
FLIPS = 1000


@dataclass
class Desk:
    """A return, drawn and signed, and all that takes to check it."""

    document: ReturnDocument
    drawn: bytes
    sealed: bytes
    key: SigningKey
    renderer: Renderer

    async def verdict(self, pdf: bytes, *keys: SigningKey) -> Verdict:
        trusted = [key.certificate for key in keys or (self.key,)]
        return await verify(pdf, trusted, product_standards(), self.renderer)

    async def codes(self, pdf: bytes, *keys: SigningKey) -> set[str]:
        return {reason.code for reason in (await self.verdict(pdf, *keys)).reasons}

    async def sign(self, drawn: bytes, key: SigningKey | None = None) -> bytes:
        return await asyncio.to_thread(sign, drawn, key or self.key, CLOSE + timedelta(minutes=1))


@pytest_asyncio.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    data = tmp_path_factory.mktemp("verify")
    document = await _a_return(data / "county.db")
    renderer = Renderer(data, base_url="https://safe.example.cn")
    drawn = await renderer.render_return(document)
    key = signing_key(data, "https://safe.example.cn")
    made = Desk(document, drawn, b"", key, renderer)
    made.sealed = await made.sign(drawn)
    yield made
    await renderer.close()


async def _a_return(database: Path) -> ReturnDocument:
    from safety.migrations import migrate

    put_in_use()
    async with opened(f"sqlite:///{database}"):
        await migrate()
        cast = await make_cast(CLOSE - timedelta(days=40))
        await make_county(cast, CLOSE)
        found = await queries.measured(cast.school, Q3, CLOSE, now=False)
    head = ChainHead(lines=7, digest="c3" * 32)
    bureau = Bureau(code="HILL", name=Words(zh="青山县教育局"))
    return compile_return(found, Making(bureau=bureau, made_at=CLOSE, chain_head=head))


def with_data(drawn: bytes, data: bytes | None) -> bytes:
    """The same file with other data attached (None: without any)."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(drawn)) as pdf:
        file = pdf.attachments["return.json"].get_file()
        if data is None:
            del pdf.attachments["return.json"]
        else:
            file.obj.write(data)
        pdf.save(out)
    return out.getvalue()


def better(document: ReturnDocument) -> ReturnDocument:
    """The return with a better total, its digest made right."""
    score = msgspec.structs.replace(document.score, total="99.00", grade="优秀")
    return freeze(msgspec.structs.replace(document, score=score))


def with_points(document: ReturnDocument, line: str, points: str) -> ReturnDocument:
    """The return as it would be drawn with other points for one line, all else as it was, digests included."""
    replace = msgspec.structs.replace
    groups = tuple(
        replace(group, lines=tuple(replace(x, points=points) if x.id == line else x for x in group.lines))
        for group in document.score.groups
    )
    return replace(document, score=replace(document.score, groups=groups))


# ---------------------------------------------------------------- genuine
async def test_a_sealed_return_is_genuine(desk: Desk) -> None:
    verdict = await desk.verdict(desk.sealed)
    assert verdict.reasons == ()
    assert verdict.page == "same"
    assert verdict.document == desk.document
    assert verdict.sealed_at == CLOSE + timedelta(minutes=1)
    assert verdict.sealed_by == "https://safe.example.cn"
    assert verdict.fingerprint == desk.key.fingerprint


def test_the_signed_file_passes_pdf_a_and_pdf_ua(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "sealed.pdf"
    file.write_bytes(desk.sealed)
    assert validate([file]) == []
    assert len(desk.sealed) < 300 * 1024


async def test_a_pkcs12_signs_as_well(desk: Desk, tmp_path: Path) -> None:
    given = signing_key(tmp_path, "x", packed(ec.generate_private_key(ec.SECP256R1()), "secret"), "secret")
    sealed = await desk.sign(desk.drawn, given)
    assert await desk.codes(sealed, given) == set()
    assert await desk.codes(sealed, given, desk.key) == set()
    assert await desk.codes(sealed) == {"not-trusted"}


async def test_drawn_without_a_qr_code_it_is_genuine_too(desk: Desk, tmp_path: Path) -> None:
    renderer = Renderer(tmp_path)
    try:
        sealed = await desk.sign(await renderer.render_return(desk.document))
    finally:
        await renderer.close()
    verdict = await desk.verdict(sealed)
    assert (verdict.reasons, verdict.page) == ((), "same")


# ---------------------------------------------------------------- changed
async def test_every_bit_counts(desk: Desk) -> None:
    """A thousand of them, spread over the file and thickly over the signature."""
    die, whole = random.Random(20260930), len(desk.sealed) * 8
    tail = len(desk.drawn) * 8
    bits = [die.randrange(whole) for _ in range(FLIPS // 2)] + [
        die.randrange(tail, whole) for _ in range(FLIPS // 2)
    ]
    for bit in bits:
        changed = bytearray(desk.sealed)
        changed[bit // 8] ^= 1 << bit % 8
        verdict = await desk.verdict(bytes(changed))
        assert not verdict.genuine, bit
        assert verdict.reasons[0].code, bit
        assert verdict.document is None, bit


async def test_a_figure_changed_in_the_data_alone(desk: Desk) -> None:
    forged = with_data(desk.drawn, canonical(better(desk.document)))
    assert await desk.codes(await desk.sign(forged)) == {"total", "page"}


async def test_a_figure_changed_on_the_page_alone(desk: Desk) -> None:
    drawn = await desk.renderer.render_return(better(desk.document))
    forged = with_data(drawn, canonical(desk.document))
    assert await desk.codes(await desk.sign(forged)) == {"page"}


async def test_a_figure_changed_in_both_and_signed_with_another_key(desk: Desk) -> None:
    drawn = await desk.renderer.render_return(better(desk.document))
    assert await desk.codes(await desk.sign(drawn, new_key())) == {"not-trusted", "total"}
    assert await desk.codes(await desk.sign(drawn)) == {"total"}


async def test_data_whose_digest_was_left_alone(desk: Desk) -> None:
    forged = msgspec.structs.replace(better(desk.document), facts_digest=desk.document.facts_digest)
    assert await desk.codes(await desk.sign(with_data(desk.drawn, canonical(forged)))) == {"digest"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda data: data + b"\n", "data-form"),
        (lambda data: data.replace(b'"schema":', b'"schemA":'), "data-form"),
        (lambda data: b"{}", "data-form"),
        (lambda data: b"[" * 100_000, "data-form"),
        (lambda data: b"\xff\xfe", "data-form"),
    ],
    ids=["not-canonical", "other-name", "empty", "deep", "no-text"],
)
async def test_data_that_are_none(desk: Desk, change, code: str) -> None:
    forged = with_data(desk.drawn, change(canonical(desk.document)))
    assert await desk.codes(await desk.sign(forged)) == {code}


async def test_without_its_data_it_is_nothing(desk: Desk) -> None:
    assert await desk.codes(await desk.sign(with_data(desk.drawn, None))) == {"no-data"}


async def test_a_draft_is_no_return(desk: Desk) -> None:
    draft = freeze(msgspec.structs.replace(desk.document, draft=True))
    assert await desk.codes(await desk.sign(await desk.renderer.render_return(draft))) == {"draft"}


async def test_sealed_before_it_was_made(desk: Desk) -> None:
    sealed = await asyncio.to_thread(sign, desk.drawn, desk.key, CLOSE - timedelta(days=1))
    assert await desk.codes(sealed) == {"sealed-before-made"}


async def test_nothing_may_follow_and_nothing_may_be_added(desk: Desk) -> None:
    assert await desk.codes(desk.sealed + b"%\n") == {"not-whole"}
    writer = IncrementalPdfFileWriter(io.BytesIO(desk.sealed))
    writer.root["/Lang"] = writer.root["/Type"]
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    assert await desk.codes(out.getvalue()) == {"not-whole"}


async def test_what_the_signature_brings_beside_itself_is_found(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds the key could change a page in the very revision that signs it."""
    from reports import seal

    class Tampering(seal._Writer):
        def _update_meta(self) -> None:
            page = self.root["/Pages"]["/Kids"][0]
            page["/Contents"] = self.root["/Pages"]["/Kids"][1].raw_get("/Contents")
            self.update_container(page)

    monkeypatch.setattr(seal, "_Writer", Tampering)
    forged = await desk.sign(desk.drawn)
    monkeypatch.undo()
    assert await desk.codes(forged) == {"hidden-change"}


async def test_a_file_of_another_edition_must_show_the_figures(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.verification.pages.mark", lambda: "Safe Campus of another year")
    verdict = await desk.verdict(desk.sealed)
    assert (verdict.reasons, verdict.page) == ((), "figures")
    forged = with_data(await desk.renderer.render_return(better(desk.document)), canonical(desk.document))
    assert await desk.codes(await desk.sign(forged)) == {"page"}


@pytest.mark.parametrize(
    "line", ["T3", "T5", "education.monthly"], ids=["alone", "within-another", "repeated"]
)
async def test_a_file_of_another_edition_with_one_figure_altered_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr("reports.verification.pages.mark", lambda: "Safe Campus of another year")
    drawn = await desk.renderer.render_return(with_points(desk.document, line, "0.37"))
    forged = with_data(drawn, canonical(desk.document))
    assert await desk.codes(await desk.sign(forged)) == {"page"}


async def test_other_fonts_draw_the_same_words(desk: Desk, tmp_path: Path) -> None:
    """Written anew by another library it is another drawing, of the same words."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(desk.drawn)) as pdf:
        pdf.save(out, compress_streams=False)
    verdict = await desk.verdict(await desk.sign(out.getvalue()))
    assert (verdict.reasons, verdict.page) == ((), "words")


@pytest.mark.parametrize(
    "rubbish", [b"", b"%PDF-1.7\n", b"PK\x03\x04" * 50, b"%PDF-1.7\n" + b"\0" * 100], ids=range(4)
)
async def test_rubbish_is_not_genuine(desk: Desk, rubbish: bytes) -> None:
    assert await desk.codes(rubbish) <= {"not-pdf", "unsigned"}
    assert await desk.codes(b"%PDF-1.7\n" + bytes(LARGEST)) == {"too-large"}


# ---------------------------------------------------------------- on the command line, with nothing else there
def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`safe-campus return verify …` in an empty place: no database, no settings, no network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SAFE_CAMPUS_")}
    own = {
        "SAFE_CAMPUS_DATA": str(folder / "data"),
        "SAFE_CAMPUS_DATABASE": "postgresql://nowhere.invalid/none",
        "LANG": "C.UTF-8",
    }
    command = [sys.executable, "-c", "from config.cli import main; main()", "return", "verify", *arguments]
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        command, cwd=root, env=kept | own, capture_output=True, text=True, check=False, timeout=120
    )


async def test_the_command_needs_the_file_and_the_certificate_alone(desk: Desk, tmp_path: Path) -> None:
    file, certificate = tmp_path / "return.pdf", tmp_path / "school.pem"
    file.write_bytes(desk.sealed)
    certificate.write_bytes(pem(desk.key.certificate))
    done = await asyncio.to_thread(run, tmp_path, str(file), "--trust", str(certificate), "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["genuine"], said["reasons"], said["page"]) == (0, True, [], "same")
    assert (said["school"], said["period"], said["version"]) == ("S001", "2026Q3", 1)
    assert said["total"] == desk.document.score.total
    assert not (tmp_path / "data" / "signing-key.pem").exists()


async def test_the_command_trusts_what_is_pinned(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "return.pdf"
    file.write_bytes(desk.sealed)
    stranger = await asyncio.to_thread(run, tmp_path, str(file))
    assert stranger.returncode == 1
    assert "not among the trusted ones" in stranger.stdout
    assert desk.key.fingerprint in stranger.stdout
    trust(tmp_path / "data", desk.key.certificate)
    known = await asyncio.to_thread(run, tmp_path, str(file))
    assert (known.returncode, known.stderr) == (0, "")
    assert "genuine" in known.stdout


async def test_the_command_says_what_it_cannot_read(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "return.pdf"
    file.write_bytes(desk.sealed[:-1])
    changed = await asyncio.to_thread(run, tmp_path, str(file), "--json")
    assert changed.returncode == 1
    assert [reason["code"] for reason in json.loads(changed.stdout)["reasons"]] == ["not-whole"]
    missing = await asyncio.to_thread(run, tmp_path, str(tmp_path / "nothing.pdf"))
    assert (missing.returncode, missing.stderr[:5]) == (1, "FILE:")
    certificate = await asyncio.to_thread(run, tmp_path, str(file), "--trust", str(file))
    assert (certificate.returncode, certificate.stderr[:8]) == (1, "--trust:")
