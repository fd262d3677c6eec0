"""Migrations run once, all or none, whichever process comes first."""

import ast
import asyncio
import os
import sys
from pathlib import Path

import pytest
from piccolo.apps.migrations.tables import Migration
from piccolo.conf.apps import AppConfig, Finder

from config.piccolo_conf import APP_REGISTRY
from safety.database import CampusEngine, engine_in_use, fetch_tuples
from safety.migrations import Step, applied, known, migrate, pending
from tests.conftest import Templates, opened

FIRST = """
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Text

ID = "2026-01-01T00:00:00:000000"

async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="{app}", description="")
    manager.add_table("{table}", tablename="{name}", schema=None, columns=None)
    manager.add_column(
        table_class_name="{table}", tablename="{name}", column_name="word", db_column_name="word",
        column_class_name="Text", column_class=Text, params={{"default": "", "null": False, "primary_key": False,
        "unique": False, "index": False, "index_method": None, "choices": None, "db_column_name": None}},
    )
    return manager
"""
SECOND = """
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-01-02T00:00:00:000000"

class Raw(Table):
    pass

async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="{app}", description="")

    async def run():
        await Raw.raw("{sql}")

    manager.add_raw(run)
    return manager
"""
INDEX = "CREATE UNIQUE INDEX {name}_word ON {name} (word, id)"


@pytest.fixture(params=["sqlite", "postgres"])
async def empty(request: pytest.FixtureRequest, tmp_path: Path, postgres_template: Templates):
    """A database in which nothing has been migrated."""
    if request.param == "sqlite":
        async with opened(f"sqlite:///{tmp_path}/empty.db") as engine:
            yield engine
    else:
        async with postgres_template.fresh("template1") as url, opened(url) as engine:
            yield engine


@pytest.fixture
def an_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make apps whose migration files have the same names, and let only them be registered."""
    made: list[AppConfig] = []

    def make(app: str, sql: str = INDEX) -> None:
        name = f"storage_{app}"
        folder = tmp_path / app
        folder.mkdir()
        (folder / "first.py").write_text(
            FIRST.format(app=app, table=name.title().replace("_", ""), name=name)
        )
        (folder / "second.py").write_text(SECOND.format(app=app, sql=sql.format(name=name)))
        made.append(AppConfig(app_name=app, migrations_folder_path=str(folder), table_classes=[]))

    monkeypatch.setattr(Finder, "get_app_configs", lambda self, **_: made)
    return make


async def test_two_apps_with_files_of_the_same_name_are_both_migrated(
    empty: CampusEngine, an_app, capsys
) -> None:
    an_app("one")
    an_app("two")
    assert await pending() == known()
    assert await migrate() == known()
    assert await fetch_tuples(None, "SELECT word FROM storage_one UNION SELECT word FROM storage_two") == []
    assert await pending() == []
    assert capsys.readouterr().out == ""


async def test_migrating_again_changes_nothing(empty: CampusEngine, an_app) -> None:
    an_app("one")
    await migrate()
    assert await migrate() == []
    assert await Migration.count() == 2


async def test_a_failing_migration_leaves_the_schema_as_it_was(empty: CampusEngine, an_app) -> None:
    an_app("one")
    an_app("two", sql="CREATE INDEX broken ON nothing_here (word)")
    with pytest.raises(Exception, match="nothing_here"):
        await migrate()
    assert await applied() == []
    assert not await Migration.table_exists()


async def test_two_at_once_migrate_once(empty: CampusEngine) -> None:
    """Two processes, as when two services start together."""
    url = _url(empty)
    code = "import asyncio, sys; from tests.db.test_migrations import alone; asyncio.run(alone(sys.argv[1]))"
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, url, cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"SAFE_CAMPUS_DATABASE": url},
        )
        for _ in range(2)
    ]  # fmt: skip
    outputs = [(await process.communicate())[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(int(output) for output in outputs) == [0, len(known())]
    assert await applied() == known()


async def alone(url: str) -> None:
    """What each of the two processes runs: prints how many migrations it ran."""
    async with opened(url) as engine:
        print(len(await migrate(engine)))


def _url(engine: CampusEngine) -> str:
    if engine.engine_type == "sqlite":
        return f"sqlite:///{engine.path}"
    return f"postgresql://{engine.config['user']}@/{engine.config['database']}?host={engine.config['host']}"


async def test_the_given_engine_is_migrated_and_the_other_stays_in_use(
    sqlite_database: CampusEngine, tmp_path
) -> None:
    async with opened(f"sqlite:///{tmp_path}/other.db") as other:
        with engine_in_use(sqlite_database):
            assert await migrate(other) == known()
            assert await migrate() == []
            assert await applied(other) == known()


async def test_steps_are_ordered_by_app_then_id() -> None:
    assert Step("a", "2") < Step("b", "1")


def test_every_app_is_registered() -> None:
    """A slice whose tables are not listed would have no tables in a new database, and nobody would notice."""
    root = Path(__file__).parents[2]
    code = [root / package for package in ("safety", "checklists", "drills", "reports")]
    files = sorted(file for folder in code for file in folder.rglob("piccolo_app.py"))
    names = {".".join(file.relative_to(root).with_suffix("").parts) for file in files}
    assert names == set(APP_REGISTRY.apps)


LASTING = {"safety.database", "safety.audit.actions", "safety.audit.rules"}
"""The way to the database, and the chain of the trail: old lines have to be verifiable in every release."""


def test_a_migration_uses_nothing_that_a_later_release_may_change() -> None:
    root = Path(__file__).parents[2]
    slices = ("safety", "checklists", "drills", "reports", "config")
    found = {
        f"{file.name}: {node.module}"
        for app in slices
        for file in (root / app).rglob("piccolo_migrations/*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in slices
        if node.module not in LASTING
    }
    assert found == set()
