"""The return as a value: one canonical form, one digest for the same ledgers, one schema."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import jsonschema
import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

import reports.canonical
from reports.canonical import canonical
from reports.document import (
    ChainHead,
    Fact,
    Rule,
    Words,
    changed_facts,
    document_digest,
    facts_digest,
    freeze,
    json_schema,
    parse,
    parse_score,
    suppressed,
)
from safety import scoring
from safety.scoring import Count, ScoredGroup, ScoredLine
from tests.sample_return import entry_id, sample_return, worst_return

SCHEMA_FILE = Path("reports/schema/safe-campus.return.v1.json")
SAMPLE = sample_return()
FIRST_FIELDS = {
    "added",
    "backfilled",
    "bureau",
    "causes",
    "chain_head",
    "changes_since",
    "closed_late",
    "draft",
    "exceptions",
    "facts",
    "facts_digest",
    "incidents",
    "late",
    "made_at",
    "made_up",
    "period",
    "previous_digest",
    "profile",
    "provisional_years",
    "reason",
    "rules",
    "schema",
    "school",
    "score",
    "sign_off",
    "standards",
    "test_clock",
    "tested_as_closed",
    "version",
}
"""Those of the first returns, which were all written out."""


def test_the_kept_schema_is_the_one_the_structs_give() -> None:
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == json_schema()


@pytest.mark.parametrize("document", [SAMPLE, worst_return()], ids=["signed", "unsigned"])
def test_a_document_validates_against_the_kept_schema(document) -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(canonical(document)))


def test_what_was_frozen_before_a_field_came_keeps_its_text() -> None:
    """A field that is new in an edition is left out where it says nothing: digests are over the text."""
    frozen = json.loads(canonical(SAMPLE))
    assert set(frozen) == FIRST_FIELDS
    text = canonical(msgspec.structs.replace(SAMPLE, unchanged=True))
    assert canonical(parse(text)) == text
    assert set(json.loads(text)) - FIRST_FIELDS == {"unchanged"}


@pytest.mark.parametrize("document", [SAMPLE, worst_return()], ids=["signed", "unsigned"])
def test_written_out_in_parts_it_is_the_same_text_as_in_one(document) -> None:
    plain = json.loads(canonical(document))
    assert canonical(document) == rfc8785.dumps(plain)
    score = {name: value for name, value in plain["score"].items() if name not in {"as_of", "in_force"}}
    whole = rfc8785.dumps({"facts": plain["facts"], "score": score})
    # Returns that were made before they said what was in force say nothing of it, and keep their digest.
    assert plain["score"]["in_force"] == []
    assert facts_digest(document) == hashlib.sha256(whole).hexdigest()


def test_no_document_holds_a_float() -> None:
    # They are what msgspec writes otherwise than RFC 8785 asks.
    assert '"number"' not in json.dumps(json_schema())


def test_every_character_is_written_as_rfc_8785_asks() -> None:
    text = "".join(map(chr, (*range(0x300), 0x2028, 0x2029, 0xFEFF, 0xFFFF, 0x1F600))) + '"\\/'
    made = sample_return(rules=(Rule(line="T1", text=Words(zh=text), source=Words(zh="甲"), mark="D"),))
    assert canonical(made) == rfc8785.dumps(json.loads(canonical(made)))
    assert json.loads(canonical(made))["rules"][0]["text"]["zh"] == text


def test_facts_and_lines_are_written_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = sample_return(reason="只写一次")
    canonical(made)
    written: list[object] = []

    def count(value: object) -> object:
        written.append(value)
        return plain(value)

    plain = reports.canonical._plain
    monkeypatch.setattr("reports.canonical._plain", count)
    again = msgspec.structs.replace(made, chain_head=ChainHead(lines=9, digest="a" * 64))
    assert json.loads(canonical(again))["chain_head"]["lines"] == 9
    assert facts_digest(again) == made.facts_digest
    assert written
    assert not [value for value in written if isinstance(value, tuple) and len(value) > 3]


@pytest.mark.parametrize(
    "change", [{"version": 0}, {"surname": "王"}, {"schema": "safe-campus.return.v2"}, {"late": -1}]
)
def test_schema_and_structs_refuse_the_same_bad_documents(change: dict[str, object]) -> None:
    bad = {**json.loads(canonical(SAMPLE)), **change}
    assert list(jsonschema.Draft202012Validator(json_schema()).iter_errors(bad))
    with pytest.raises(msgspec.ValidationError):
        parse(json.dumps(bad).encode())


def test_canonical_form_reads_back_as_the_same_document() -> None:
    data = canonical(SAMPLE)
    assert parse(data) == SAMPLE
    assert canonical(parse(data)) == data
    assert b": " not in data
    assert list(json.loads(data)) == sorted(json.loads(data))


def test_the_score_has_the_shape_of_the_score_command() -> None:
    score = json.loads(canonical(SAMPLE.score))
    assert set(score) == {
        "school", "period", "as_of", "standards", "in_force", "total", "grade", "provisional", "veto", "penalties",
        "groups",
    }  # fmt: skip
    line = score["groups"][0]["lines"][0]
    assert set(line) == {
        "id", "applies", "expected", "on_time", "late", "backfilled", "missing", "open", "points", "max",
        "status", "source", "entries",
    }  # fmt: skip
    assert parse_score(canonical(SAMPLE.score)) == SAMPLE.score


def test_instants_are_written_in_utc_whatever_zone_they_came_in() -> None:
    at = datetime(2026, 9, 30, 16, 0, 5, tzinfo=UTC)
    beijing = at.astimezone(timezone(timedelta(hours=8)))
    assert canonical(sample_return(made_at=beijing)) == canonical(sample_return(made_at=at))
    assert json.loads(canonical(SAMPLE))["made_at"] == "2026-09-30T16:00:05Z"


def test_an_instant_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 9, 30, 16, 0)  # noqa: DTZ001 that is the point
    with pytest.raises(ValueError, match="without a zone"):
        canonical(sample_return(made_at=naive))


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_in_which_facts_were_gathered_does_not_matter(random) -> None:
    facts = list(SAMPLE.facts[:200])
    ordered = freeze(msgspec.structs.replace(SAMPLE, facts=tuple(facts)))
    random.shuffle(facts)
    shuffled = freeze(msgspec.structs.replace(SAMPLE, facts=tuple(facts)))
    assert shuffled == ordered


@pytest.mark.parametrize(
    "change",
    [
        {"made_at": datetime(2026, 10, 2, tzinfo=UTC)},
        {"chain_head": ChainHead(lines=1, digest="00" * 32)},
        {"version": 2, "previous_digest": "11" * 32},
        {"closed_late": True},
        {"sign_off": None},
        {"test_clock": True},
        {"score": msgspec.structs.replace(SAMPLE.score, as_of=datetime(2027, 1, 1, tzinfo=UTC))},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_tells_only_when_it_was_made_leaves_the_facts_digest(change: dict[str, object]) -> None:
    other = sample_return(**change)
    assert other.facts_digest == SAMPLE.facts_digest
    assert document_digest(other) != document_digest(SAMPLE)


def test_a_fact_or_a_point_more_changes_the_facts_digest() -> None:
    fewer = sample_return(facts=SAMPLE.facts[1:])
    lower = sample_return(score=msgspec.structs.replace(SAMPLE.score, total="0.00"))
    assert len({SAMPLE.facts_digest, fewer.facts_digest, lower.facts_digest}) == 3
    assert facts_digest(SAMPLE) == SAMPLE.facts_digest


def test_the_document_digest_is_that_of_the_attached_bytes() -> None:
    assert document_digest(SAMPLE) == hashlib.sha256(canonical(SAMPLE)).hexdigest()


def test_changes_after_the_sign_off_are_told_apart() -> None:
    def fact(number: int, day: int) -> Fact:
        at = datetime(2026, 9, day, 8, tzinfo=UTC)
        return Fact(
            id=entry_id(number),
            line="duty.gate",
            occurrence=str(number),
            happened_on=at.date(),
            recorded_at=at,
        )

    signed, closed = (fact(1, 1), fact(2, 2), fact(3, 3)), (fact(1, 1), fact(3, 4), fact(4, 4))
    kinds = {change.id: change.kind for change in changed_facts(signed, closed)}
    assert kinds == {entry_id(2): "removed", entry_id(3): "altered", entry_id(4): "added"}
    assert changed_facts(signed, signed) == ()


def test_status_follows_the_sign_off() -> None:
    assert SAMPLE.status == "changed"
    assert worst_return().status == "unsigned"
    signed = msgspec.structs.replace(SAMPLE.sign_off, changes=())
    assert sample_return(sign_off=signed).status == "signed"


@pytest.mark.parametrize(
    ("count", "category", "shown"),
    [(0, "mental_health", 0), (1, "mental_health", "<5"), (4, "mental_health", "<5"), (5, "mental_health", 5),
     (1, "traffic", 1)],
)  # fmt: skip
def test_small_sensitive_counts_are_suppressed(count: int, category: str, shown: object) -> None:
    assert suppressed(count, category) == shown


def test_no_name_but_the_signers_is_in_the_document() -> None:
    fields = {field.name for struct in (Fact,) for field in msgspec.structs.fields(struct)}
    assert fields == {
        "id", "line", "occurrence", "happened_on", "recorded_at", "timed_on", "reached", "tested",
    }  # fmt: skip
    assert SAMPLE.period.ends == date(2026, 9, 30)


def test_what_scoring_prints_is_what_the_return_carries() -> None:
    at = datetime(2026, 9, 30, 16, tzinfo=UTC)
    line = ScoredLine("T1", True, "partial", Count(3, 1, 1), 500, 1000, Fraction(1, 2), "D", (UUID(int=1),))
    scored = scoring.Score(
        "330102001", "2026Q3", at, "2026.1", 500, "合格", (ScoredGroup("targets", 500, 1000, (line,)),),
        (scoring.Penalty(UUID(int=2), "late", 200),), (scoring.Veto(UUID(int=2), "concealed"),),
    )  # fmt: skip
    printed = scoring.as_json(scored)
    kept = json.loads(canonical(parse_score(json.dumps(printed).encode())))
    assert kept == {**printed, "as_of": "2026-09-30T16:00:00Z"}
