"""Builders: kinds of commands of make, CMake, Cargo, Go, Maven, Gradle, Xcode and .NET, which build or test by their arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from ebmhw.karl.shell.kinds import ASKS, BUILDS, NOTHING, TESTS
from ebmhw.karl.shell.names import COMMANDS, OTHER_PARTS, SPLIT, named
from ebmhw.karl.shell.wrappers import ASSIGNMENT

_MAKE_ASKS = frozenset({"--dry-run", "--just-print", "--recon", "--question", "--touch", "--print-data-base"})
_MAKE_FLAGS = frozenset("BbdeikLmnpqRrSstvw")
_MAKE_NO_WORK = frozenset("npqt")
"""Flags of make that take no value, which may stand together (``-kn``), and those of them by which it makes nothing."""


def _make(words: Sequence[str]) -> int:
    for word in words:
        if word in _MAKE_ASKS or (word[:1] == "-" and _MAKE_FLAGS.issuperset(word[1:]) and not _MAKE_NO_WORK.isdisjoint(word)):
            return ASKS
    kinds, targets, skip = NOTHING, 0, False
    for word in words[1:]:
        if skip:
            skip = False
        elif word in ("-C", "-f", "-I", "-o", "-W", "--directory", "--file"):
            skip = True
        elif not word.startswith("-") and not word.isdigit() and not ASSIGNMENT.match(word):
            targets += 1
            kind = named(word)
            # What a target is called that is neither test nor chore is what is made.
            kinds |= kind or (NOTHING if SPLIT.split(word.lower())[0] in OTHER_PARTS else BUILDS)
    return kinds if targets else BUILDS


def _ninja(words: Sequence[str]) -> int:
    if {"-n", "-t"}.isdisjoint(words):
        return _make(words)
    return ASKS


def _cmake(words: Sequence[str]) -> int:
    if "--build" not in words:
        return NOTHING
    for place, word in enumerate(words[:-1]):
        if word in ("--target", "-t"):
            return named(words[place + 1]) or (NOTHING if words[place + 1] in OTHER_PARTS else BUILDS)
    return BUILDS


def _cargo(words: Sequence[str]) -> int:
    place = 2 if len(words) > 1 and words[1].startswith("+") else 1
    kind = COMMANDS["cargo"].get(words[place], NOTHING) if place < len(words) else NOTHING
    if kind == TESTS and "--no-run" in words:
        return BUILDS
    lists = words[place] == "nextest" and words[place + 1 : place + 2] in (["list"], ["show-config"]) if kind else False
    return ASKS if kind == TESTS and ("--list" in words or lists) else kind


def _go(words: Sequence[str]) -> int:
    kind = COMMANDS["go"].get(words[1], NOTHING) if len(words) > 1 else NOTHING
    if kind == TESTS:
        return BUILDS if "-c" in words else ASKS if any(word.startswith(("-list", "--list")) for word in words) else TESTS
    # "go install tool@latest" gets a tool; it builds nothing of one's own.
    return NOTHING if kind and words[1] == "install" and any("@" in word for word in words) else kind


_JVM_TEST = re.compile(r"test|check|verify|(?:integration|surefire)-test|test[A-Z]\w{0,200}|\w{1,200}(?:Test|Tests|Check)")
_JVM_BUILD = re.compile(
    r"build|package|compile|install|assemble|bundle|jar|bootJar|classes|deploy|test-compile|(?:compile|assemble|bundle|build|link)[A-Z]\w{0,200}"
)


def _jvm(words: Sequence[str]) -> int:
    if words[0].rpartition("/")[2].startswith("gradle") and not {"-m", "--dry-run", "-v"}.isdisjoint(words):
        return ASKS
    kinds = NOTHING
    left_out = {words[place].rpartition(":")[2] for place in range(2, len(words)) if words[place - 1] in ("-x", "--exclude-task")}
    skips = "test" in left_out or any(word.startswith(("-DskipTests", "-Dmaven.test.skip")) and not word.endswith("=false") for word in words)
    for place, word in enumerate(words[1:], 1):
        task = word.rpartition(":")[2]
        if word.startswith("-") or task in left_out or words[place - 1] in ("-f", "-p", "-b", "--task"):
            continue
        if _JVM_TEST.fullmatch(task):
            kinds |= BUILDS if skips else TESTS
        elif _JVM_BUILD.fullmatch(task):
            kinds |= BUILDS
    return kinds


def _xcodebuild(words: Sequence[str]) -> int:
    if not {"-showBuildSettings", "-list", "-version", "-showsdks", "-showdestinations", "-resolvePackageDependencies"}.isdisjoint(words):
        return ASKS
    if "test" in words or "test-without-building" in words:
        return TESTS
    return NOTHING if words[1:] and words[-1] == "clean" and not {"build", "archive"} & set(words) else BUILDS


def _dotnet(words: Sequence[str]) -> int:
    command = words[1] if len(words) > 1 else ""
    if command in ("test", "vstest"):
        return ASKS if "--list-tests" in words or "-t" in words else TESTS
    return BUILDS if command in ("build", "publish", "msbuild", "pack") else NOTHING


BUILDERS: Mapping[str, Callable[[Sequence[str]], int]] = {
    **dict.fromkeys(("make", "gmake", "mingw32-make", "nmake"), _make),
    **dict.fromkeys(("ninja", "samu"), _ninja),
    "cmake": _cmake,
    **dict.fromkeys(("cargo", "cross"), _cargo),
    "go": _go,
    **dict.fromkeys(("mvn", "mvnw", "gradle", "gradlew", "mvnd"), _jvm),
    "xcodebuild": _xcodebuild,
    "dotnet": _dotnet,
}
"""{program: returns the kind of its command, of one word or more}."""
