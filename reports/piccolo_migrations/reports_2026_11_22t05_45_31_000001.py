"""One file per sealed return; those received before files were signed keep theirs."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T05:45:31:000001"
VERSION = "1.38.0"
DESCRIPTION = "one file per sealed return"

STATEMENTS = (
    "create unique index sealed_file_sealed on sealed_file (sealed)",
    """insert into sealed_file (id, sealed, bytes_digest, size, signed_at, fingerprint)
    select o.message, o.sealed, i.bytes_digest, i.size, i.received_at, ''
    from outbox o join inbox_item i on i.message = o.message""",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="reports", description=DESCRIPTION)

    async def run() -> None:
        engine = engine_finder()
        assert engine is not None
        for statement in STATEMENTS:
            await engine.run_ddl(statement)

    manager.add_raw(run)
    return manager
