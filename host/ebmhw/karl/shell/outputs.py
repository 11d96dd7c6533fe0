"""Outputs of test runners: how many tests they say they ran."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

HEAD_CHARS, TAIL_CHARS = 2**15, 2**16
"""Characters of an output that are looked at, at its start and at its end."""

_LINE_CHARS = 600
_MOST = 10**9
_ESCAPES = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")


class _Summary(NamedTuple):
    """How a runner tells its number.

    Attributes
    ----------
    runner : lines of the same one are taken together; the first summary of a runner that any line has is the one that counts
    hints : lower-case texts of which a line of it holds one
    pattern : of the line; numbers are its groups, which are added up; without groups a line stands for 0
    fold : what lines of it make together
    """

    runner: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    fold: Callable[[Iterable[int]], int] = sum


def _summary(runner: str, hints: str, pattern: str, fold: Callable[[Iterable[int]], int] = sum) -> _Summary:
    return _Summary(runner, tuple(hints.split("|")), re.compile(pattern), fold)


_N = r"(\d{1,9})"
_PYTEST_WORDS = r"(?:passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?|rerun|reruns|subtests passed)"

# In the order in which a runner's own lines are trusted: its last word before what it says on the way.
_SUMMARIES = (
    _summary("pytest", " in ", rf"(?:=+ )?(?:{_N} {_PYTEST_WORDS}|no tests ran)(?:, |  ?in \d)"),
    _summary("pytest", "collected ", r"collected \d{1,9} items? / \d{1,9} deselected / (\d{1,9}) selected"),
    _summary("pytest", "collected ", rf"collected {_N} items?\b"),
    _summary("unittest", "ran ", rf"Ran {_N} tests? in "),
    _summary("vitest", "tests", rf"\s{{0,20}}Tests\s{{1,20}}[^:]{{0,200}}\({_N}\)\s*\Z"),
    _summary("vitest", "no test", r".{0,20}No test (?:files|suite) found"),
    _summary("jest", "total", rf"Tests:\s{{1,20}}[^:]{{0,200}}?\b{_N} total\b"),
    _summary("jest", "no tests", r"No tests found\b"),
    _summary("bun", "ran ", rf"Ran {_N} tests? across "),
    _summary("deno", "passed", rf"(?:ok|FAILED) \| {_N} passed\b[^|]{{0,60}}\| {_N} failed"),
    _summary("mocha", "passing|failing", rf"\s{{1,20}}{_N} (?:passing|failing)\b"),
    _summary("node", "tests ", rf"(?:#|\u2139) tests {_N}\s*\Z"),
    _summary("nextest", "tests run", rf"\s{{0,20}}Summary \[[^\]]{{0,40}}\]\s{{1,9}}{_N}(?:/\d{{1,9}})? tests? run"),
    _summary("cargo", "running ", rf"running {_N} tests?\b"),
    _summary("cargo", "test result", rf"test result: \w{{1,9}}\. {_N} passed; {_N} failed"),
    _summary("go", "--- ", r"\s{0,40}--- ()(?:PASS|FAIL|SKIP|BENCH): "),
    _summary("go", "no test", r"(?:ok|\?)\s{1,20}\S{1,300}\s.{0,100}\[no test(?:s to run| files)\]"),
    _summary("ctest", "tests", rf"\d{{1,3}}% tests passed, \d{{1,9}} tests? failed out of {_N}"),
    _summary("ctest", "no tests", r"No tests were found"),
    _summary("maven", "tests run", rf"(?:\[\w{{1,9}}\] )?Tests run: {_N}, Failures: \d{{1,9}}, Errors: \d{{1,9}}, Skipped: \d{{1,9}}\s*\Z"),
    _summary("maven", "tests run", rf"(?:\[\w{{1,9}}\] )?Tests run: {_N}, Failures: "),
    _summary("maven", "no tests to run", r"(?:\[\w{1,9}\] )?No tests to run"),
    _summary("gradle", "completed", rf"{_N} tests? completed"),
    _summary("gradle", "no-source", r"> Task \S{0,200}[tT]est\w{0,60} NO-SOURCE"),
    _summary("dotnet", "total", rf"(?:Passed|Failed|Skipped)!\s{{1,9}}- Failed:[^T]{{0,120}}Total:\s{{1,9}}{_N}"),
    _summary("dotnet", "total tests", rf"\s{{0,9}}Total tests: {_N}"),
    _summary("dotnet", "no test is", r"No test is available in"),
    _summary("xctest", "executed ", rf"\s{{0,20}}Executed {_N} tests?, with ", max),
    _summary("swift-testing", "test run", rf".{{0,9}}Test run with {_N} tests? "),
    _summary("bazel", "executed ", rf"Executed \d{{1,9}} out of {_N} tests?"),
    _summary("bazel", "no test targets", r".{0,40}No test targets were found"),
    _summary("rspec", "examples|example,", rf"{_N} examples?, \d{{1,9}} failures?"),
    _summary("phpunit", "ok (", rf"OK \({_N} tests?, "),
    _summary("phpunit", "assertions", rf"Tests: {_N}, Assertions: "),
    _summary("phpunit", "no tests executed", r"No tests executed!"),
    _summary("minitest", "runs, ", rf"{_N} runs, \d{{1,9}} assertions"),
    _summary("tests-failures", " failure", rf"(?:\d{{1,9}} doctests?, )?{_N} tests?, \d{{1,9}} failures?"),
    _summary("prove", "files=", rf"Files=\d{{1,9}}, Tests={_N}"),
    _summary("sbt", "total", rf"(?:\[\w{{1,9}}\] )?(?:Passed|Failed): Total {_N}"),
    _summary("ava", "tests passed", rf"\s{{0,20}}{_N} tests? passed\b"),
    _summary("tap", "1..", rf"1\.\.{_N}(?:\s|\Z)"),
)

_MAY_TELL = re.compile(r"\d|[Nn][Oo][ -]|\(cached\)")
_GO_PACKAGE = re.compile(r"(?:ok|FAIL)\s{1,20}[^\s|]{1,300}\s{1,20}(?:\d|\(cached\))")


def collected(output: str) -> int | None:
    """Return how many tests an output tells of, 0 where it says there were none, None where it says nothing of it.

    Several runs are added up. Go says how many only when it is asked (-v): elsewhere a package counts as one test. Linear in the length of the
    output, of which the first `HEAD_CHARS` and the last `TAIL_CHARS` count.
    """
    if len(output) > HEAD_CHARS + TAIL_CHARS:
        output = output[:HEAD_CHARS] + "\n" + output[-TAIL_CHARS:]
    found: dict[int, list[int]] = {}
    packages, interrupted = 0, " during collection" in output
    for raw in _ESCAPES.sub("", output).splitlines():
        line = raw[:_LINE_CHARS]
        if _MAY_TELL.search(line) is None:
            continue
        lowered = line.lower()
        for place, summary in enumerate(_SUMMARIES):
            for hint in summary.hints:
                if hint in lowered:
                    number = _number(summary, line, interrupted)
                    if number is not None:
                        found.setdefault(place, []).append(number)
                    break
        if line.startswith(("ok", "FAIL")) and "no test" not in lowered and _GO_PACKAGE.match(line):
            packages += 1
    counts: dict[str, int] = {}
    for place in sorted(found):
        summary = _SUMMARIES[place]
        counts.setdefault(summary.runner, summary.fold(found[place]))
    if packages and not counts.get("go"):
        counts["go"] = packages
    return min(sum(counts.values()), _MOST) if counts else None


_PYTEST_RAN = re.compile(rf"{_N} (?:passed|failed|skipped|xfailed|xpassed)\b")
_PYTEST_ERRORS = re.compile(rf"{_N} errors?\b")


def _number(summary: _Summary, line: str, interrupted: bool) -> int | None:
    match = summary.pattern.match(line)
    if match is None:
        return None
    if summary.runner == "pytest" and not line.startswith("collected"):
        # Errors are of tests, but for those of collecting, after which pytest runs none.
        words = (_PYTEST_RAN,) if interrupted else (_PYTEST_RAN, _PYTEST_ERRORS)
        return sum(int(number) for word in words for number in word.findall(line))
    groups = match.groups()
    return sum(int(group) if group else 1 for group in groups if group is not None)
