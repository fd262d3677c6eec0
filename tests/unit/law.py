"""The product's standards with other values from some days on."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from config.rules import product_standards
from safety.standards import Record, Standards


def changed(given: Iterable[Mapping[str, Any]]) -> Standards:
    """The product's standards, but from some days on others: id, first day, and value or `repealed`."""
    base = product_standards()
    return Standards((*base.records, *(_changed(base, row) for row in given)), base.edition)


def _changed(base: Standards, row: Mapping[str, Any]) -> Record:
    if row.keys() - {"id", "from", "value", "repealed"}:
        raise ValueError(f"unknown {sorted(row)}")
    value = base.by_id[row["id"]][0].value if row.get("repealed") else row["value"]
    made = base.override(row["id"], value, since=day(row["from"]), by="某县教育局", source="通知")
    return replace(made, by="", **({"value": None, "repealed": True} if row.get("repealed") else {}))


def day(said: object) -> date:
    """A day as written."""
    return said if isinstance(said, date) else date.fromisoformat(str(said))
