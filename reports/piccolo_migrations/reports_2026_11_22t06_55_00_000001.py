"""Whoever holds a return asks by its facts digest whether a newer version exists."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T06:55:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "returns by their facts digest"

INDEXES = (
    "create index school_return_facts on school_return (facts_digest)",
    "create index inbox_item_facts on inbox_item (facts_digest)",
    "create index inbox_item_school on inbox_item (school_code, period)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="reports", description=DESCRIPTION)

    async def add_indexes() -> None:
        engine = engine_finder()
        assert engine is not None
        for statement in INDEXES:
            await engine.run_ddl(statement)

    manager.add_raw(add_indexes)
    return manager
