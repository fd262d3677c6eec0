"""One submission, one row; one appeal, one answer; a reminder once; one roll-up per bureau, quarter and version."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T05:50:58:000001"
VERSION = "1.38.0"
DESCRIPTION = "indexes of adjustments, reminders and roll-ups"

INDEXES = (
    "create unique index score_adjustment_key on score_adjustment (school, submission_key)",
    "create index score_adjustment_quarter on score_adjustment (period, school, made_at)",
    "create unique index adjustment_appeal_once on adjustment_appeal (adjustment)",
    "create unique index appeal_answer_once on appeal_answer (appeal)",
    "create unique index reminder_once on reminder (school, period, slot)",
    "create unique index rollup_setting_bureau on rollup_setting (bureau)",
    "create unique index rollup_version on rollup (bureau, period, version)",
    "create unique index rollup_key on rollup (bureau, submission_key)",
    "create unique index received_rollup_version on received_rollup (bureau, sender, period, version)",
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
