"""A sealed roll-up is found genuine; one with other figures, though signed by the same key, is not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from config.rules import product_standards
from reports.kinds import RollupJob
from reports.pdf import Renderer
from reports.rollup.document import RollupDocument, freeze
from reports.seal import sign
from reports.sealing.keys import signing_key
from reports.verification.verdicts import as_json, rows
from reports.verification.verify import Verdict, verify
from safety.text import Catalogue
from tests.sample_rollup import MADE_AT, sample_city, sample_rollup

replace = msgspec.structs.replace


async def verdict_on(data: Path, document: RollupDocument) -> Verdict:
    """The verdict on that document, drawn, sealed and checked with one key."""
    renderer, key = Renderer(data), signing_key(data, "https://safe.example.cn")
    try:
        drawn = await renderer.render(RollupJob(document))
        sealed = await asyncio.to_thread(sign, drawn, key, MADE_AT + timedelta(minutes=1))
        return await verify(sealed, [key.certificate], product_standards(), renderer)
    finally:
        await renderer.close()


@pytest.mark.parametrize("document", [sample_rollup(), sample_city()], ids=["county", "city"])
async def test_a_sealed_roll_up_is_genuine(tmp_path: Path, document: RollupDocument) -> None:
    verdict = await verdict_on(tmp_path, document)
    assert (verdict.reasons, verdict.page, verdict.document) == ((), "same", document)
    catalogue = Catalogue.load(strict=True)
    said = dict(rows(verdict, lambda key, **values: catalogue.t(key, "zh", **values)))
    assert said["单位"].endswith(document.bureau.code)
    found = as_json(verdict, lambda key, **values: catalogue.t(key, "zh", **values))
    assert (found["genuine"], found["bureau"], found["school"]) == (True, document.bureau.code, None)


async def test_figures_that_do_not_follow_and_drafts_are_found_out(tmp_path: Path) -> None:
    honest = sample_rollup()
    better = replace(honest.figures, means=replace(honest.figures.means, own="99.00"))
    forged = await verdict_on(tmp_path, freeze(replace(honest, figures=better)))
    assert {reason.code for reason in forged.reasons} == {"rollup-figures", "rollup-trend"}
    stale = await verdict_on(tmp_path, replace(honest, facts_digest="0" * 64))
    assert [reason.code for reason in stale.reasons] == ["digest"]
    draft = await verdict_on(tmp_path, sample_rollup(draft=True))
    assert [reason.code for reason in draft.reasons] == ["draft"]
