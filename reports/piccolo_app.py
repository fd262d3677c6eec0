"""Piccolo's view of this slice."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="reports",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(
        modules=[
            "reports.tables",
            "reports.delivery.tables",
            "reports.rollup.tables",
            "reports.oversight.tables",
        ],
        exclude_imported=True,
    ),
    migration_dependencies=["safety.ledger.piccolo_app"],
)
