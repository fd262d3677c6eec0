"""A message is received once; a sender has one token; what came before is among what was received."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T06:40:01:000001"
VERSION = "1.38.0"
DESCRIPTION = "received once"

STATEMENTS = (
    "create unique index received_delivery_message on received_delivery (message)",
    "create index received_delivery_version on received_delivery (kind, sender, period, version)",
    "create unique index peer_token on peer (token_digest)",
    "create unique index peer_code on peer (kind, code) where revoked_at is null",
    """insert into received_delivery (number, message, kind, sender, peer, bureau, period, version, facts_digest,
    bytes_digest, size, received_at, receipt)
    select id, message, 'return', school_code, null, bureau, period, version, facts_digest, bytes_digest, size,
    received_at, '' from inbox_item""",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="reports", description=DESCRIPTION)

    async def run() -> None:
        engine = engine_finder()
        assert engine is not None
        for statement in STATEMENTS:
            await engine.run_ddl(statement)

    manager.add_raw(run)
    # Which way was tried follows from whom the message is for.
    manager.drop_column(
        table_class_name="FailedAttempt",
        tablename="failed_attempt",
        column_name="way",
        db_column_name="way",
        schema=None,
    )
    return manager
