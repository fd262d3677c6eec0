"""One press, one decision; one text of a line per submission; the same scan attached once."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T05:49:01:000001"
VERSION = "1.38.0"
DESCRIPTION = "indexes of the life of a return"

INDEXES = (
    "create unique index return_decision_key on return_decision (item, submission_key)",
    "create index return_decision_last on return_decision (item, decided_at)",
    "create unique index return_correction_key on return_correction (sealed, submission_key)",
    "create unique index return_remark_key on return_remark (school, line, submission_key)",
    "create index return_remark_quarter on return_remark (school, period, written_at)",
    "create unique index return_scan_content on return_scan (sealed, bytes_digest)",
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
