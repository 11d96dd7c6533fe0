"""Commands: what a shell line does, as far as rewards need to know it: whether it runs tests, whether it builds, how many tests it ran.

A line is split into its simple commands, and wrappers are looked through: ``echo pytest`` or ``pip install pytest`` are no test runs, but
``cd web && CI=1 timeout 60 npx jest`` is one. What a program does that is not known here is told by its name alone (``./run_tests.sh``), or not
at all.
"""

from __future__ import annotations

from functools import lru_cache

from ebmhw.karl.shell.kinds import ASKS, BUILDS, NOTHING, TESTS

PYTEST_NO_TESTS = 5
"""Exit code of pytest that collected nothing (pytest, "Exit codes")."""

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
    """Return how many tests a line ran by what it printed: 0 if it found none, None if the output does not say or the line runs no tests."""
    if not runs_tests(command):
        return None
    from ebmhw.karl.shell.outputs import collected

    return collected(output)


def _kinds(command: str) -> int:
    lowered = command.lower()
    for hint in _HINTS:
        if hint in lowered:
            break
    else:
        return NOTHING
    # Loading them takes 8 ms, which most commands that a hook sees need not wait for.
    from ebmhw.karl.shell.lexer import simple_commands
    from ebmhw.karl.shell.programs import kind_of
    from ebmhw.karl.shell.wrappers import inner

    found = NOTHING
    lines = [(command, 0)]
    for line, depth in lines:
        for words in simple_commands(line):
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
