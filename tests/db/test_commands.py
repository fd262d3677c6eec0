"""The commands that a shell runs, as processes of their own, on both databases."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = [sys.executable, "-c", "from config.cli import main; main()", "--lang", "en"]


class Shell:
    """Runs `safe-campus` on one database."""

    def __init__(self, url: str, data: Path) -> None:
        self.environ = os.environ | {"SAFE_CAMPUS_DATABASE": url, "SAFE_CAMPUS_DATA": str(data)}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *arguments], env=self.environ, capture_output=True, text=True, check=False
        )

    def json(self, *arguments: str, code: int = 0) -> Any:
        outcome = self.run(*arguments, "--json")
        assert outcome.returncode == code, outcome.stderr
        return json.loads(outcome.stdout)


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    return Shell(database_url, tmp_path / "data")


def test_the_first_administrator_is_made_from_the_shell(shell: Shell) -> None:
    assert shell.json("migrate")["empty"] is True
    made = shell.json("user", "add", "Zhang.Wei", "--name", "张伟", "--role", "admin")
    assert made["login"] == "zhang.wei"
    assert len(made["password"]) >= 10
    assert shell.json("migrate") == {"ran": [], "empty": False}
    again = shell.json("user", "reset", "zhang.wei")
    assert again["password"] != made["password"]
    assert len(shell.json("token", "zhang.wei", "--label", "gateway")["token"]) >= 40
    (token,) = shell.json("token", "list")["tokens"]
    assert (token["login"], token["label"]) == ("zhang.wei", "gateway")
    assert shell.json("token", "revoke", str(token["number"])) == {"number": token["number"]}
    assert shell.run("token", "revoke", str(token["number"])).returncode == 1
    assert shell.json("token", "list") == {"tokens": []}
    assert shell.json("user", "disable", "zhang.wei") == {"login": "zhang.wei"}
    assert shell.json("audit", "verify") == {"good": True, "bad": [], "contradictions": []}


def test_an_account_that_cannot_be_is_refused_with_its_place(shell: Shell) -> None:
    outcome = shell.run("user", "add", "li", "--name", "李", "--role", "officer", "--school", "S999")
    assert outcome.returncode == 1
    assert outcome.stderr == "--school: nothing has the code S999\n"
    shell.json("user", "add", "zhang", "--name", "张", "--role", "admin")
    taken = shell.json("user", "add", "zhang", "--name", "张", "--role", "admin", code=1)["problems"]
    assert [(problem["place"], problem["code"]) for problem in taken] == [("login", "login-taken")]


def test_an_unknown_login_is_refused(shell: Shell) -> None:
    assert shell.run("user", "disable", "nobody").returncode == 1
    assert shell.json("token", "nobody", code=1)["problems"][0]["code"] == "not-found"


def test_the_doctor_finds_a_migrated_database_well(shell: Shell) -> None:
    checks = {one["check"]: one for one in shell.json("doctor")["checks"]}
    assert checks["database"]["good"]
    assert checks["audit"]["good"]
    assert re.fullmatch(r"\d+\.\d [GT]B", checks["disk"]["detail"])


def test_the_doctor_names_a_database_that_does_not_answer(tmp_path: Path) -> None:
    shell = Shell("postgresql://nobody@127.0.0.1:1/none", tmp_path)
    report = shell.json("doctor", code=1)
    assert not report["good"]
    assert {one["check"] for one in report["checks"] if not one["good"]} == {"database", "audit", "outbox"}


def test_a_database_that_nobody_migrated_says_so(tmp_path: Path) -> None:
    outcome = Shell(f"sqlite:///{tmp_path}/new.db", tmp_path).run("user", "disable", "zhang")
    assert outcome.returncode == 1
    assert outcome.stderr.endswith(
        "SAFE_CAMPUS_DATABASE: the schema is behind this program: run safe-campus migrate first\n"
    )


def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    outcome = Shell("postgresql://nobody@127.0.0.1:1/none", tmp_path).run("migrate")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("SAFE_CAMPUS_DATABASE: the database cannot be opened: ")
