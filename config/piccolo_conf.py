"""Piccolo's configuration (PICCOLO_CONF=config.piccolo_conf): the tables' engine and the list of apps.

Importing it connects to nothing. An engine that was chosen before, by a test or by the app, stays.
"""

from piccolo.conf.apps import AppRegistry

from config.settings import database_url
from safety.database import TABLES_ENGINE, engine_from_url, use_engine

if not TABLES_ENGINE.chosen:
    use_engine(engine_from_url(database_url()))

DB = TABLES_ENGINE

# In the order in which they build on each other: migrations run in this order.
APP_REGISTRY = AppRegistry(
    apps=[
        "safety.places.piccolo_app",
        "safety.access.piccolo_app",
        "safety.audit.piccolo_app",
        "safety.jobs.piccolo_app",
        "safety.ledger.piccolo_app",
        "safety.education.piccolo_app",
        "safety.duty.piccolo_app",
        "safety.incidents.piccolo_app",
        "checklists.piccolo_app",
        "drills.piccolo_app",
        "reports.piccolo_app",
    ]
)
