"""The same submission is the same entry; what stands is read by school and day, chains by what they replace."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-22T02:40:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "indexes"

INDEXES = (
    "create unique index incident_key on incident (school, submission_key)",
    "create index incident_current on incident (school, happened_on) "
    "where superseded_by is null and voided_at is null",
    "create index incident_past on incident (school, happened_on) "
    "where superseded_by is not null or voided_at is not null",
    "create index incident_chain on incident (supersedes) where supersedes is not null",
    "create unique index zero_report_key on zero_report (school, submission_key)",
    "create index zero_report_current on zero_report "
    "(school, happened_on, timed_on, recorded_at, supersedes, superseded_by, voided_at) "
    "where superseded_by is null and voided_at is null",
    "create index zero_report_past on zero_report (school, happened_on) "
    "where superseded_by is not null or voided_at is not null",
    "create index zero_report_apart on zero_report (school, happened_on) where supersedes is not null",
    "create index zero_report_chain on zero_report (supersedes) where supersedes is not null",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="incidents", description=DESCRIPTION)

    async def add_indexes() -> None:
        engine = engine_finder()
        assert engine is not None
        for statement in INDEXES:
            await engine.run_ddl(statement)

    manager.add_raw(add_indexes)
    return manager
