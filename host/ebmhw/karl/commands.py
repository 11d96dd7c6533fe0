"""Commands: what a shell line does, as far as rewards need to know it: whether it runs tests, whether it builds, how many tests it ran.

A line is split into its simple commands, and wrappers are looked through: ``echo pytest`` or ``pip install pytest`` are no test runs, but
``cd web && CI=1 timeout 60 npx jest`` is one. What a program does that is not known here is told by its name alone (``./run_tests.sh``), or not
at all.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from functools import lru_cache

from ebmhw.karl.shell.kinds import ASKS, BUILDS, NOTHING, TESTS

PYTEST_USAGE, PYTEST_NO_TESTS = 4, 5
"""Exit codes of pytest that was called wrongly, and that collected nothing (pytest, "Exit codes")."""

BAZEL_NO_TESTS = 4
"""Exit code of Bazel that was asked for tests and found none (Bazel, "What exit code will I get?")."""

NOT_RUN = (126, 127)
"""Exit codes of a shell for a command that cannot be run, or is not there (POSIX, 2.8.2)."""

_CACHED_CHARS = 2048
_DEPTH = 12
"""Wrappers that are looked through: ``sudo env bash -c "timeout 5 ..."`` is four."""

_LINES = 200
"""Lines within a line, of ``bash -c``, that are looked at."""

# A line without one of these is of no kind; looking for them costs a tenth of taking the line apart.
_HINTS = (
    *("test", "make", "build", "check", "tox", "nox", "spec", "jest", "mocha", "tsc", "ninja", "compil", "verif", "e2e", "package", "cc", "clang"),
    *("bats", "prove", "cypress", "g++", "c++", "webpack", "rollup", "green", "behave", "robot", "karma", "jasmine", "trial", "assembl", "install"),
    *("bundle", "release", "dist", "ava", "tap", "nose", "ghc", "ocaml", "kotlinc", "scala", "swiftc", "ward", "pack", "smoke", "unit", "publish"),
    *("qunit", "ginkgo", "ptw", "tsup", "scons", "latexmk", "pest", "develop", "npm t", "cargo ", "cross ", "jar", "c8", "nyc", "rustc", "cucumber"),
    *("uvu", "codecept", "wtr", "bake", "classes", "deploy", "link"),
)

_MAY_NOT_REACH = re.compile(r"(?<![\w.:$-])(?:true|false|exit|exec|:)(?![\w./=:-])|\([ \t]{0,9}\)|\bfunction\s|\bin\s{0,9}[;\n]")
"""What a line holds that holds commands which are never reached (`ebmhw.karl.shell.reach`)."""


def runs_tests(command: str) -> bool:
    """Tell whether a shell line runs tests."""
    return bool(kinds(command) & TESTS)


def runs_build(command: str) -> bool:
    """Tell whether a shell line builds something."""
    return bool(kinds(command) & BUILDS)


def only_asks(command: str) -> bool:
    """Tell whether a shell line only asks a test runner or a build tool for its version, its help or its list, and runs neither."""
    return kinds(command) == ASKS


def kinds(command: str) -> int:
    """Return the kinds of a shell line, as bits (`ebmhw.karl.shell.kinds`); those of lines up to 2048 characters are kept."""
    return _kept(command) if len(command) <= _CACHED_CHARS else _kinds(command)


def tests_collected(command: str, output: str) -> int | None:
    """Return how many tests a line ran by what it printed: 0 if it ran none, None if the output does not say or the line runs no tests.

    Where the line itself prints what looks like a result, it does not say how many.
    """
    if not runs_tests(command):
        return None
    from ebmhw.karl.shell.claims import missing, prints_result, without_prints
    from ebmhw.karl.shell.outputs import collected

    if prints_result(command):
        return 0 if collected(without_prints(command, output)) == 0 else None
    found = collected(output)
    if found is None and any(runs_tests(name) or runs_tests(f"{name} test") for name in missing(output)):
        return 0
    return found


def not_run(command: str, exit_code: int | None) -> bool:
    """Tell whether an exit code proves that a line ran neither tests nor a build: the one command of it that does comes last, and is not there.

    Scripts and their runners (``./test.sh``, ``npm test``) pass on the code of the last command within them, which is not the first.
    """
    if exit_code not in NOT_RUN:
        return False
    from ebmhw.karl.shell.lexer import simple_commands
    from ebmhw.karl.shell.names import NODE, TASKS
    from ebmhw.karl.shell.programs import kind_of
    from ebmhw.karl.shell.wrappers import inner, name_of

    line: str | None = command
    for _ in range(_DEPTH):
        found = simple_commands(line or "")
        if not found or any(_of_commands(shlex.join(words), simple_commands) for words in found[:-1]):
            return False
        held: list[str] | str | None = found[-1]
        while isinstance(held, list) and held and held[0] and (within := inner(held)) is not None:
            held = within
        if isinstance(held, list):
            return bool(held and held[0] and kind_of(held)) and "/" not in held[0] and name_of(held[0]) not in NODE | TASKS
        line = held
    return False


def never_reached(command: str) -> bool:
    """Tell whether a shell line holds a test run that no run of the line comes to, and none that one does: ``true || pytest``."""
    if kinds(command) & TESTS or _MAY_NOT_REACH.search(command) is None:
        return False
    from ebmhw.karl.shell.lexer import simple_commands

    return bool(_of_commands(command, simple_commands) & TESTS)


def _kinds(command: str) -> int:
    lowered = command.lower()
    for hint in _HINTS:
        if hint in lowered:
            break
    else:
        return NOTHING
    # Loading it takes 8 ms, which most commands that a hook sees need not wait for.
    from ebmhw.karl.shell.lexer import reached_commands, simple_commands

    found = _of_commands(command, simple_commands)
    if found and _MAY_NOT_REACH.search(command) is not None:
        return _of_commands(command, reached_commands)
    return found


def _of_commands(command: str, commands_of: Callable[[str], list[list[str]]]) -> int:
    from ebmhw.karl.shell.programs import kind_of
    from ebmhw.karl.shell.wrappers import inner

    found = NOTHING
    lines = [(command, 0)]
    for line, depth in lines:
        for words in commands_of(line):
            at, held = depth, words
            while held and held[0]:
                within = inner(held)
                if within is None:
                    found |= kind_of(held)
                    break
                at += 1
                if at > _DEPTH:
                    break
                if isinstance(within, str):
                    if len(lines) < _LINES:
                        lines.append((within, at))
                    break
                held = within
    return found


_kept = lru_cache(maxsize=2**13)(_kinds)
