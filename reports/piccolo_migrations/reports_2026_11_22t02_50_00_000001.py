"""One return per school, quarter and version; one message, received once; one submission, one sign-off."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T02:50:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "indexes"

INDEXES = (
    "create unique index school_return_version on school_return (school, period, version)",
    "create index school_return_period on school_return (period, school)",
    "create unique index sign_off_key on sign_off (school, submission_key)",
    "create index sign_off_quarter on sign_off (school, period, signed_at)",
    "create unique index outbox_sealed on outbox (sealed)",
    "create index outbox_waiting on outbox (next_at) where state = 'waiting'",
    "create unique index inbox_item_message on inbox_item (message)",
    "create index inbox_item_quarter on inbox_item (bureau, period)",
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
