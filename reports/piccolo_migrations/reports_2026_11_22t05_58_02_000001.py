"""What was on its way stays on its way, under the same ids; the old outbox goes."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T05:58:02:000001"
VERSION = "1.38.0"
DESCRIPTION = "messages move over"

STATEMENTS = (
    "drop index outbox_sealed",
    "drop index outbox_waiting",
    """insert into outbox (message, kind, subject, bureau, posted_at, state, attempts, tried_at, next_at, claimed_by,
    lease_until, error)
    select o.message, 'return', o.sealed, o.bureau, r.sealed_at, o.state, o.attempts, null, o.next_at, o.claimed_by,
    o.lease_until, o.error
    from outbox_before o join school_return r on r.id = o.sealed""",
    "create unique index outbox_subject on outbox (kind, subject)",
    "create index outbox_waiting on outbox (next_at) where state = 'waiting'",
    "create index failed_attempt_message on failed_attempt (message, at)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="reports", description=DESCRIPTION)

    async def move() -> None:
        engine = engine_finder()
        assert engine is not None
        for statement in STATEMENTS:
            await engine.run_ddl(statement)

    manager.add_raw(move)
    manager.drop_table(class_name="OutboxBefore", tablename="outbox_before", schema=None)
    return manager
