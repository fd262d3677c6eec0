"""A private PostgreSQL for the tests: a fresh cluster in a temporary folder, reached by socket only."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
USER = "postgres"
SPEED = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "max_connections=60",
)


def binaries() -> Path:
    """The folder of PostgreSQL's programs. The tests need them: there is no skipping."""
    if not BINARIES:
        raise RuntimeError("PostgreSQL's server is not installed (Debian package: postgresql)")
    return BINARIES[-1]


def _as_owner() -> list[str]:
    """PostgreSQL refuses to run as root; and it must not outlive a test run that was killed."""
    owner = ["--reuid", USER, "--regid", USER, "--init-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *owner, "--pdeathsig", "INT"]


class Cluster:
    """A running server; `url(name)` is the address of one of its databases."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # a database per test is made and dropped three times as fast there
        self.folder = Path(
            tempfile.mkdtemp(prefix="safe-campus-pg-", dir=memory if memory.is_dir() else None)
        )
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER, USER)
        self.user = USER if os.geteuid() == 0 else os.environ.get("USER", USER)

    def start(self) -> None:
        self._initialise()
        settings = [part for option in SPEED for part in ("-c", option)]
        with (self.folder / "log").open("wb") as log:
            self.server = subprocess.Popen(
                [*_as_owner(), binaries() / "postgres", "-D", self.folder / "data", "-k", self.folder,
                 "-c", "listen_addresses=", *settings],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        self._wait()

    def _initialise(self) -> None:
        command = [*_as_owner(), binaries() / "initdb", "-D", self.folder / "data", "-U", USER,
                   "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder)

    def _wait(self) -> None:
        for _ in range(300):
            if self._psql("SELECT 1", check=False).returncode == 0:
                return
            if self.server.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()[-2000:]}")

    def _psql(self, sql: str, *, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [binaries() / "psql", "-h", self.folder, "-U", USER, "-X", "-q", "-c", sql, "postgres"],
            check=check,
            capture_output=True,
        )

    def url(self, database: str) -> str:
        """The address of a database, with a small pool: tests open many, one after another."""
        return f"postgresql://{USER}@/{database}?host={quote(str(self.folder))}&pool_min=1&pool_max=8"

    def stop(self) -> None:
        self.server.send_signal(2)  # SIGINT: fast shutdown
        self.server.wait(timeout=30)
        shutil.rmtree(self.folder)
