"""The few statements with which places are written, by a form or by a bundle."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from safety.database import fetch_tuples

HEADCOUNT = "insert into headcount (school, school_class, pupils, recorded_at) values ($1, $2, $3, $4)"


def new_revision() -> int:
    """What caches of a school go by: fresh, so that nothing read in a transaction that failed is taken for it."""
    return secrets.randbelow(2**31)


async def insert_row(table: str, values: Mapping[str, Any]) -> int:
    """The new row's id. Names of table and columns are always ours."""
    places = ", ".join(f"${n + 1}" for n in range(len(values)))
    sql = f"insert into {table} ({', '.join(values)}) values ({places}) returning id"  # noqa: S608
    return int((await fetch_tuples(None, sql, list(values.values())))[0][0])


async def update_row(table: str, id_: int, values: Mapping[str, Any]) -> None:
    """Set these columns of one row."""
    sets = ", ".join(f"{name} = ${n + 2}" for n, name in enumerate(values))
    await fetch_tuples(None, f"update {table} set {sets} where id = $1", [id_, *values.values()])  # noqa: S608


async def add_headcount(school: int, school_class: int | None, pupils: int, at: datetime) -> None:
    """What a class (or, without one, the school) counts from now on."""
    await fetch_tuples(None, HEADCOUNT, [school, school_class, pupils, at])
