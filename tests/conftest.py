"""Databases for tests.

`database` gives a test a fresh, migrated, empty, open engine that is in use, once on SQLite and once on
PostgreSQL; `sqlite_database` and `postgres_database` give one of them only. Each copies a template that is
migrated once per run: a file copy, or `CREATE DATABASE … TEMPLATE`.
"""

import itertools
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

os.environ["PICCOLO_CONF"] = "config.piccolo_conf"

from safety.database import (
    CampusEngine,
    close_engine,
    engine_from_url,
    engine_in_use,
    open_engine,
)
from safety.migrations import migrate
from tests.postgres import Cluster

DATABASES = ("sqlite", "postgres")
_numbers = itertools.count(1)

Fresh = Callable[[], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def opened(url: str, *, read_only: bool = False) -> AsyncIterator[CampusEngine]:
    """The engine for `url`, open and in use inside the block."""
    engine = engine_from_url(url, read_only=read_only)
    with engine_in_use(engine):
        await open_engine(engine)
        try:
            yield engine
        finally:
            await close_engine(engine)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "template.db"
    async with opened(f"sqlite:///{file}") as engine:
        await migrate(engine)
    return file


@pytest.fixture(scope="session")
async def postgres_template(postgres_cluster: Cluster) -> AsyncIterator["Templates"]:
    connection = await asyncpg.connect(
        host=str(postgres_cluster.folder), user="postgres", database="postgres"
    )
    templates = Templates(postgres_cluster, connection)
    await templates.prepare()
    yield templates
    await connection.close()


class Templates:
    """Makes and drops databases on the tests' PostgreSQL."""

    def __init__(self, cluster: Cluster, connection: asyncpg.Connection) -> None:
        self.cluster = cluster
        self.connection = connection

    async def prepare(self) -> None:
        await self.connection.execute("CREATE DATABASE migrated")
        async with opened(self.cluster.url("migrated")) as engine:
            await migrate(engine)

    @asynccontextmanager
    async def fresh(self, template: str = "migrated") -> AsyncIterator[str]:
        """The address of a new database that is dropped afterwards."""
        name = f"test_{next(_numbers)}"
        await self.connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.cluster.url(name)
        finally:
            await self.connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a migrated, empty SQLite file."""
    file = tmp_path / "campus.db"
    shutil.copyfile(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture
async def postgres_url(postgres_template: Templates) -> AsyncIterator[str]:
    """The address of a migrated, empty PostgreSQL database."""
    async with postgres_template.fresh() as url:
        yield url


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated, empty database: the test runs once for each kind."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[CampusEngine]:
    """A migrated, empty, open engine, in use for all tables: the test runs once for each kind."""
    async with opened(database_url) as engine:
        yield engine


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncIterator[CampusEngine]:
    """The same on SQLite only, for tests in which the database is not the point."""
    async with opened(sqlite_url) as engine:
        yield engine


@pytest.fixture
async def postgres_database(postgres_url: str) -> AsyncIterator[CampusEngine]:
    """The same on PostgreSQL only."""
    async with opened(postgres_url) as engine:
        yield engine
