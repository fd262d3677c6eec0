"""The outbox of returns alone makes room for one of messages of every kind."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

ID = "2026-11-22T05:58:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "the outbox steps aside"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="reports", description=DESCRIPTION)
    manager.rename_table(
        old_class_name="Outbox",
        old_tablename="outbox",
        new_class_name="OutboxBefore",
        new_tablename="outbox_before",
        schema=None,
    )
    return manager
