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
    pattern : of the line; its groups are added up, those whose name starts with "less" (tests that were skipped) taken off; without groups a
        line stands for 0, and an empty group for 1
    fold : what lines of it make together
    words : of the line, numbers that are added up in place of the pattern's
    less : runner whose lines tell of tests that this one counted and skipped
    """

    runner: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    fold: Callable[[Iterable[int]], int]
    words: re.Pattern[str] | None
    less: str


def _summary(runner: str, hints: str, pattern: str, fold: Callable[[Iterable[int]], int] = sum, words: str | None = None, less: str = "") -> _Summary:
    return _Summary(runner, tuple(hints.split("|")), re.compile(pattern), fold, re.compile(words) if words else None, less)


_N = r"(\d{1,9})"
_SKIPPED = r"(?P<less>\d{1,9})"
_PYTEST_WORDS = r"(?:passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?|rerun|reruns|subtests passed)"
_TESTISH = r"[^'\"\s]{0,60}(?:test|check|spec)[^'\"\s]{0,60}"

# In the order in which a runner's own lines are trusted: its last word before what it says on the way.
_SUMMARIES = (
    _summary("pytest", " in ", rf"(?:=+ )?(?:{_N} {_PYTEST_WORDS}|no tests ran)(?:, |  ?in \d)"),
    _summary("pytest", "collected", r"(?:=+ )?(?:\d{1,9}(?:/\d{1,9})? tests?|no tests) collected\b"),
    _summary("pytest", "collected ", r"collected \d{1,9} items? / \d{1,9} deselected / (\d{1,9}) selected"),
    _summary("pytest", "collected ", rf"collected {_N} items?\b"),
    _summary("unittest", "ran ", rf"Ran {_N} tests? in ", less="-unittest"),
    _summary("-unittest", "skipped=", rf"(?:OK|FAILED) \([^)]{{0,80}}?skipped={_N}"),
    _summary("vitest", "tests", r"\s{0,20}Tests\s{1,20}[^:]{0,200}\(\d{1,9}\)\s*\Z", words=rf"{_N} (?:passed|failed|expected fail)\b"),
    _summary("vitest", "no test", r".{0,20}No test (?:files|suite) found"),
    _summary("jest", "total", r"Tests:\s{1,20}[^:]{0,200}?\b\d{1,9} total\b", words=rf"{_N} (?:passed|failed)\b"),
    _summary("jest", "no tests", r"No tests found\b"),
    _summary("bun", "ran ", rf"Ran {_N} tests? across ", less="-bun"),
    _summary("-bun", " skip| todo", rf"\s{{1,9}}{_N} (?:skip|todo)\s*\Z"),
    _summary("deno", "passed", rf"(?:ok|FAILED) \| {_N} passed\b[^|]{{0,60}}\| {_N} failed"),
    _summary("mocha", "passing|failing", rf"\s{{1,20}}{_N} (?:passing|failing)\b"),
    _summary("node", "tests ", rf"(?:#|\u2139) tests {_N}\s*\Z", less="-node"),
    _summary("-node", "skipped ", rf"(?:#|\u2139) skipped {_N}\s*\Z"),
    _summary("nextest", "tests run", rf"\s{{0,20}}Summary \[[^\]]{{0,40}}\]\s{{1,9}}{_N}(?:/\d{{1,9}})? tests? run"),
    _summary("cargo", "test result", rf"test result: \w{{1,9}}\. {_N} passed; {_N} failed"),
    # What runs when the output ends: a result takes the place of what was said before it.
    _summary("cargo, on the way", "running ", rf"running {_N} tests?\b"),
    _summary("go", "--- ", r"\s{0,40}--- ()(?:PASS|FAIL|BENCH): "),
    _summary("go", "--- skip", r"\s{0,40}--- SKIP: "),
    _summary("go", "no test", r"(?:ok|\?)\s{1,20}\S{1,300}\s.{0,100}\[no test(?:s to run| files)\]"),
    _summary("ctest", "tests", rf"\d{{1,3}}% tests passed, \d{{1,9}} tests? failed out of {_N}", less="-ctest"),
    _summary("-ctest", "(skipped)|(not run)", r"\s{0,20}\d{1,9} - .{1,200} ()\((?:Skipped|Not Run)\)"),
    _summary("ctest", "no tests", r"No tests were found"),
    _summary("maven", "tests run", rf"(?:\[\w{{1,9}}\] )?Tests run: {_N}, Failures: \d{{1,9}}, Errors: \d{{1,9}}, Skipped: {_SKIPPED}\s*\Z"),
    _summary("maven", "tests run", rf"(?:\[\w{{1,9}}\] )?Tests run: {_N}, Failures: (?:\d{{1,9}}, Errors: \d{{1,9}}, Skipped: {_SKIPPED})?"),
    _summary("maven", "no tests to run", r"(?:\[\w{1,9}\] )?No tests to run"),
    _summary("gradle", "completed", rf"{_N} tests? completed(?:, \d{{1,9}} failed)?(?:, {_SKIPPED} skipped)?"),
    _summary("gradle", "no-source", r"> Task \S{0,200}[tT]est\w{0,60} NO-SOURCE"),
    _summary("dotnet", "total", rf"(?:Passed|Failed|Skipped)!\s{{1,9}}- Failed:\s{{1,9}}{_N}, Passed:\s{{1,9}}{_N},[^T]{{0,60}}Total:"),
    _summary("dotnet", "total tests", rf"\s{{0,9}}Total tests: {_N}", less="-dotnet"),
    _summary("-dotnet", "skipped:", rf"\s{{1,9}}Skipped: {_N}\s*\Z"),
    _summary("dotnet", "no test is", r"No test is available in"),
    _summary("xctest", "executed ", rf"\s{{0,20}}Executed {_N} tests?, with (?:{_SKIPPED} tests? skipped and )?", max),
    _summary("swift-testing", "test run", rf".{{0,9}}Test run with {_N} tests? "),
    _summary("bazel", "executed ", rf"Executed \d{{1,9}} out of {_N} tests?(?:[^\n]{{0,200}}?\b{_SKIPPED} (?:was|were) skipped)?"),
    _summary("bazel", "no test targets", r".{0,40}No test targets were found"),
    _summary("rspec", "examples|example,", rf"{_N} examples?, \d{{1,9}} failures?(?:, {_SKIPPED} pending)?"),
    _summary("phpunit", "ok (", rf"OK \({_N} tests?, "),
    _summary("phpunit", "assertions", rf"Tests: {_N}, Assertions: \d{{1,9}}(?:[^S]{{0,120}}Skipped: {_SKIPPED})?"),
    _summary("phpunit", "no tests executed", r"No tests executed!"),
    _summary("minitest", "runs, ", rf"{_N} runs, \d{{1,9}} assertions(?:, \d{{1,9}} failures, \d{{1,9}} errors, {_SKIPPED} skips)?"),
    _summary(
        "tests-failures",
        " failure",
        rf"(?:\d{{1,9}} doctests?, )?{_N} tests?, \d{{1,9}} failures?(?:, (?P<less_excluded>\d{{1,9}}) excluded)?(?:, {_SKIPPED} skipped)?",
    ),
    _summary("prove", "files=", rf"Files=\d{{1,9}}, Tests={_N}"),
    _summary("sbt", "total", rf"(?:\[\w{{1,9}}\] )?(?:Passed|Failed): Total {_N}(?:[^S]{{0,120}}Skipped {_SKIPPED})?"),
    _summary("ava", "tests passed", rf"\s{{0,20}}{_N} tests? passed\b"),
    _summary("ava", "tests skipped", r"\s{0,20}\d{1,9} tests skipped\s*\Z"),
    _summary("tap", "1..", rf"1\.\.{_N}(?:\s|\Z)", less="-tap"),
    _summary("-tap", "skip", r"(?:not )?ok \d{1,9}\b.{0,300}()# (?:SKIP|skip)"),
    # Nothing ran: the target, the script or the program is not there, or has nothing to do.
    _summary("make", "make: ", rf"\w{{0,9}}make: (?:Nothing to be done for |\*\*\* No rule to make target )['`]{_TESTISH}'\.(?:\s|\Z)"),
    _summary("make", "make: ", rf"\w{{0,9}}make: ['`]{_TESTISH}' is up to date\."),
    _summary("node-script", "no test specified", r"""(?:> echo ["']?)?Error: no test specified"""),
    _summary("node-script", "missing script", rf".{{0,40}}[Mm]issing script: [\"']?{_TESTISH}"),
    _summary("node-script", "not found", rf"error:? (?:Command|Script not found) [\"']{_TESTISH}[\"']"),
    _summary("python", "no module named", r".{0,200}No module named '?(?:pytest|nose|nose2|tox|nox)'?\s*\Z"),
)
_PLACES = {summary.runner: place for place, summary in enumerate(_SUMMARIES)}
_CARGO_RESULT, _CARGO_START = _PLACES["cargo"], _PLACES["cargo, on the way"]
_GO_SKIPS = next(place for place, summary in enumerate(_SUMMARIES) if summary.hints == ("--- skip",))

_MAY_TELL = re.compile(r"\d|[Nn][Oo][ -]|\(cached\)|make: |script|not found|--- SKIP|# (?:SKIP|skip)")
_GO_PACKAGE = re.compile(r"(?:ok|FAIL)\s{1,20}[^\s|]{1,300}\s{1,20}(?:\d|\(cached\))")


def collected(output: str) -> int | None:
    """Return how many tests an output says were run, 0 where it says that none was, None where it says nothing of it.

    Tests that were skipped, left out or only listed are none; those that were expected to fail are. Several runs are added up. Go says how many only
    when it is asked (-v): elsewhere a package counts as one test. Linear in the length of the output, of which the first `HEAD_CHARS` and the last
    `TAIL_CHARS` count.
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
                        if place == _CARGO_RESULT:
                            found.pop(_CARGO_START, None)
                    break
        if line.startswith(("ok", "FAIL")) and "no test" not in lowered and _GO_PACKAGE.match(line):
            packages += 1
    counts: dict[str, int] = {}
    for place in sorted(found):
        summary = _SUMMARIES[place]
        if summary.runner not in counts and not summary.runner.startswith("-"):
            count = summary.fold(found[place])
            skipped = sum(found.get(_PLACES[summary.less], ())) if summary.less else 0
            # More than there are: parts of tests, or whole classes, were skipped, and how many tests ran is not told.
            counts[summary.runner] = count - skipped if skipped <= count else count
    # Only with -v Go names tests that passed or were skipped, and all of them then.
    if packages and not counts.get("go") and _GO_SKIPS not in found:
        counts["go"] = packages
    return min(sum(counts.values()), _MOST) if counts else None


# A test that is expected to fail was run; one that is skipped was not.
_PYTEST_RAN = re.compile(rf"{_N} (?:passed|failed|xfailed|xpassed)\b")
_PYTEST_ERRORS = re.compile(rf"{_N} errors?\b")


def _number(summary: _Summary, line: str, interrupted: bool) -> int | None:
    match = summary.pattern.match(line)
    if match is None:
        return None
    if summary.runner == "pytest" and not line.startswith("collected"):
        # Errors are of tests, but for those of collecting, after which pytest runs none.
        words = (_PYTEST_RAN,) if interrupted else (_PYTEST_RAN, _PYTEST_ERRORS)
        return sum(int(number) for word in words for number in word.findall(line))
    if summary.words is not None:
        return sum(int(number) for number in summary.words.findall(match[0]))
    names = match.re.groupindex
    skipped = sum(int(match[name]) for name in names if match[name])
    groups = [group for place, group in enumerate(match.groups(), 1) if place not in names.values()]
    return max(0, sum(int(group) if group else 1 for group in groups if group is not None) - skipped)
