"""A run in which anything was skipped is a failed run: a test that does not run proves nothing.

Used by `make test` and `make soak` as `-p tests.plugin_no_skip`; a plain `pytest` does without it.
"""

from __future__ import annotations

import pytest

_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # An expected failure is reported as skipped too, but it ran.
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_collectreport(report: pytest.CollectReport) -> None:
    # Of what it did not even collect, a process that runs a share of the tests tells only failures.
    if report.skipped:
        _skipped.append(report.nodeid)
        report.outcome = "failed"


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for nodeid in _skipped:
        terminalreporter.write_line(f"SKIPPED, so this run fails: {nodeid}", red=True)
