import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from config import cli
from config.checks import CHECKS, look, tools
from config.invocation import Invocation, instant_option, json_option, language
from config.settings import Settings
from reports.drawing import fonts
from safety.errors import BadInput, NotFound, Problem
from safety.text import catalogue

COMMANDS = Path(cli.__file__).with_name("commands")


@click.command()
@json_option
@instant_option("--at", "When.")
@click.argument("mood")
@click.pass_obj
def probe(invocation: Invocation, mood: str, at: object) -> None:
    """A command of the tests' own, which ends in each of the ways a command can."""
    if mood == "bad":
        raise BadInput([Problem("--school", "unknown-code", {"code": "S9"}), Problem(None, "unknown-code")])
    if mood == "gone":
        raise NotFound("unknown-code", {"code": "S8"})
    if mood == "failed-check":
        raise click.exceptions.Exit(1)
    invocation.emit({"mood": mood, "at": at}, f"mood {mood}")


@pytest.fixture(autouse=True)
def _with_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.cli.commands, "probe", probe)
    real = cli.LazyGroup.get_command
    monkeypatch.setattr(
        cli.LazyGroup,
        "get_command",
        lambda self, ctx, name: probe if name == "probe" else real(self, ctx, name),
    )


def test_help_lists_what_is_built_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    listed = capsys.readouterr().out.split("Commands:")[1]
    names = {line.split()[0] for line in listed.strip().splitlines()}
    built = {file.stem.rstrip("_").replace("_", "-") for file in COMMANDS.glob("[a-z]*.py")}
    assert names == built


@pytest.mark.parametrize("file", sorted(COMMANDS.glob("[a-z]*.py")), ids=lambda file: file.stem)
def test_every_command_explains_itself(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([file.stem.rstrip("_").replace("_", "-"), "--help"]) == 0
    assert "Usage: safe-campus" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["no-such-command"], ["probe"], ["probe", "well", "--at", "noon"]])
def test_a_wrong_command_line_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Usage" in printed.err


def test_bad_input_is_printed_as_place_and_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--lang", "zh", "probe", "bad"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[0] == "--school: 没有代码为 S9 的单位"


def test_bad_input_as_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--lang", "en", "probe", "bad", "--json"]) == 1
    first = json.loads(capsys.readouterr().out)["problems"][0]
    assert first == {"place": "--school", "code": "unknown-code", "message": "nothing has the code S9"}


def test_a_refusal_exits_1_with_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--lang", "en", "probe", "gone"]) == 1
    assert capsys.readouterr().err == "nothing has the code S8\n"


def test_a_failed_check_exits_1() -> None:
    assert cli.run(["probe", "failed-check"]) == 1


def test_an_answer_is_text_or_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["probe", "well"]) == 0
    assert capsys.readouterr().out == "mood well\n"
    assert cli.run(["probe", "well", "--json", "--at", "2026-10-01T00:00"]) == 0
    assert json.loads(capsys.readouterr().out) == {"mood": "well", "at": "2026-09-30 16:00:00+00:00"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_CN"}, "zh"),
        ({"LANG": "C"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_that_of_the_shell(environ: dict[str, str], expected: str) -> None:
    assert language(environ) == expected


def test_a_bad_setting_is_named_by_the_command(tmp_path: Path) -> None:
    outcome = _shell(["doctor"], SAFE_CAMPUS_DATA=str(tmp_path), SAFE_CAMPUS_TIMEZONE="Mars/Olympus")
    assert outcome.returncode == 1
    assert outcome.stdout == ""
    assert outcome.stderr.startswith("SAFE_CAMPUS_TIMEZONE: ")


def test_starting_imports_nothing_heavy() -> None:
    heavy = "('piccolo', 'litestar', 'weasyprint')"
    program = f"import sys, config.cli; print([name for name in {heavy} if name in sys.modules])"
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert outcome.stdout.strip() == "[]"


def _shell(arguments: list[str], **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from config.cli import main; main()", *arguments]
    return subprocess.run(command, env=os.environ | environ, capture_output=True, text=True, check=False)


def test_everything_the_commands_say_is_in_both_languages() -> None:
    source = "\n".join(file.read_text(encoding="utf-8") for file in Path(cli.__file__).parent.rglob("*.py"))
    said = set(re.findall(r'\bsay\(\s*"([a-z.-]+)"', source))
    said |= {
        f"problem.{code}" for code in re.findall(r'BadInput\.one\([^,()]+(?:\(\))?, "([a-z-]+)"', source)
    }
    said |= {f"command.check.{name}" for name in CHECKS}
    assert len(said) > 20
    assert {key for key in said if key not in catalogue()} == set()


def test_every_check_of_the_drawing_is_among_those_of_the_doctor(tmp_path: Path) -> None:
    assert {found.code for found in fonts.check(tmp_path)} <= CHECKS.keys()


@pytest.mark.parametrize(("database", "good"), [("sqlite:///x.db", True), ("postgresql://x@/x", False)])
async def test_postgresql_wants_its_own_programs_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str, good: bool
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    settings = Settings(
        database_url=database, data=tmp_path, secret_key="k" * 40, base_url="http://localhost"
    )
    found = await look("tools", tools, settings, datetime(2026, 10, 14, tzinfo=UTC))
    assert found.good is good
    assert good or "pg_dump, psql" in found.detail
