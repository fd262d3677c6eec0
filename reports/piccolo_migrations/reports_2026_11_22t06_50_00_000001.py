"""What has not arrived yet is found without looking at all that has."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T06:50:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "messages that have not arrived"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="reports", description=DESCRIPTION)

    async def run() -> None:
        engine = engine_finder()
        assert engine is not None
        await engine.run_ddl("create index outbox_open on outbox (posted_at) where state <> 'delivered'")

    manager.add_raw(run)
    return manager
