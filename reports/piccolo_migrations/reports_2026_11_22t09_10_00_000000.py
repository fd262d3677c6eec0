"""Boards show of a sealed return what it says, without reading its document: the figures stand beside it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Boolean, Integer

ID = "2026-11-22T09:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "figures of sealed returns"

COUNTS = ("enrolment", "expected", "on_time", "late", "backfilled", "missing", "incidents", "sensitive")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="reports", description=DESCRIPTION)
    for name in COUNTS:
        manager.add_column(
            table_class_name="Return",
            tablename="school_return",
            column_name=name,
            db_column_name=name,
            column_class_name="Integer",
            column_class=Integer,
            params={"default": 0, "null": False},
            schema=None,
        )
    manager.add_column(
        table_class_name="Return",
        tablename="school_return",
        column_name="vetoed",
        db_column_name="vetoed",
        column_class_name="Boolean",
        column_class=Boolean,
        params={"default": False, "null": False},
        schema=None,
    )
    return manager
