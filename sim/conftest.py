"""The fixture that runs benches, and the table of all that ran, gathered over pytest's worker processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from sim.runner import BenchFailed, BenchResult, run_bench
from sim.summary import table

_PROPERTY = "bench"

SLOW_LIMIT_S = 3600
"""Seconds that a slow test may take; the others have the limit in pyproject.toml."""


@pytest.fixture
def simulate(request: pytest.FixtureRequest) -> Callable[..., BenchResult]:
    """`sim.runner.run_bench`, whose result also goes into the table."""

    def run(*arguments: Any, **options: Any) -> BenchResult:
        __tracebackhide__ = True
        try:
            result = run_bench(*arguments, **options)
        except BenchFailed as error:
            request.node.user_properties.append((_PROPERTY, asdict(error.result) | {"result": "FAILED"}))
            raise
        request.node.user_properties.append((_PROPERTY, asdict(result) | {"result": "passed"}))
        return result

    return run


@pytest.fixture
def compared(request: pytest.FixtureRequest) -> Callable[[str, str, int], None]:
    """Puts into the table what a test has compared without a bench: its name, what was compared, and how many programs or tokens."""
    began = time.perf_counter()

    def tell(bench: str, what: str, programs: int) -> None:
        row = BenchResult(bench, what, 0, programs, 0, 0, time.perf_counter() - began)
        request.node.user_properties.append((_PROPERTY, asdict(row) | {"result": "passed"}))

    return tell


def pytest_configure(config: pytest.Config) -> None:
    # Amaranth warns of a component that is made and never converted, which tests of refusals do, when the garbage collector meets it.
    config.addinivalue_line("filterwarnings", "ignore::amaranth.hdl.UnusedElaboratable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_LIMIT_S))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [report for reports in terminalreporter.stats.values() for report in reports if getattr(report, "when", None) == "call"]
    benches = [bench for report in reports for name, bench in report.user_properties if name == _PROPERTY]
    if benches:
        terminalreporter.section("benches")
        for line in table(benches):
            terminalreporter.line(line)
