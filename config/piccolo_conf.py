"""Piccolo's configuration (PICCOLO_CONF=config.piccolo_conf): the tables' engine and the list of apps.

Importing it connects to nothing. An engine that was chosen before, by a test or by the app, stays.
"""

from piccolo.conf.apps import AppRegistry

from config.settings import database_url
from safety.database import TABLES_ENGINE, engine_from_url, use_engine

if not TABLES_ENGINE.chosen:
    use_engine(engine_from_url(database_url()))

DB = TABLES_ENGINE

APP_REGISTRY = AppRegistry(apps=[])
