"""Names: what programs, their subcommands, targets, tasks and scripts do by what they are called."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ebmhw.karl.shell.kinds import BUILDS, NOTHING, TESTS


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


def _each(names: str, kind: int) -> dict[str, int]:
    return dict.fromkeys(names.split(), kind)


ALONE: Mapping[str, int] = {
    **_each(
        "pytest py.test unittest tox nose nose2 nosetests trial stestr zope-testrunner green behave robot ward"
        " ctest jest vitest mocha jasmine ava tap"
        " karma wtr web-test-runner rspec phpunit pest paratest codecept bats prove gotestsum ginkgo testem qunit tape uvu c8 nyc cucumber"
        " runtests pytest-watch ptw",
        TESTS,
    ),
    **_each(
        "ninja tsc vue-tsc tsup webpack rollup esbuild xmake scons javac kotlinc scalac rustc gcc g++ cc c++ clang clang++ nvcc swiftc ghc ocamlc"
        " sphinx-build build pyproject-build msbuild wasm-pack remake latexmk",
        BUILDS,
    ),
}
"""Programs whose name says it."""

COMPILERS = word_set("javac kotlinc scalac rustc gcc g++ cc c++ clang clang++ nvcc swiftc ghc ocamlc")


def _same(names: str, commands: Mapping[str, int]) -> dict[str, Mapping[str, int]]:
    return {name: commands for name in names.split()}


TB: Mapping[str, int] = {"test": TESTS, "build": BUILDS}
COMMANDS: Mapping[str, Mapping[str, int]] = {
    **_same("cargo cross", {**TB, "t": TESTS, "nextest": TESTS, "b": BUILDS, "check": BUILDS, "c": BUILDS, "tarpaulin": TESTS}),
    "go": {**TB, "install": BUILDS},
    "richgo": TB,
    **_same("swift bazel bazelisk buck buck2 dotnet stack flutter forge anchor ng zig", TB),
    "cabal": {**TB, "v2-test": TESTS, "v2-build": BUILDS, "new-test": TESTS, "new-build": BUILDS},
    "dune": {**TB, "runtest": TESTS},
    "meson": {"test": TESTS, "compile": BUILDS},
    "hardhat": {"test": TESTS, "compile": BUILDS},
    "mix": {"test": TESTS, "compile": BUILDS},
    "lein": {"test": TESTS, "uberjar": BUILDS, "compile": BUILDS},
    "sbt": {"test": TESTS, "testOnly": TESTS, "testQuick": TESTS, "compile": BUILDS, "package": BUILDS, "assembly": BUILDS},
    **_same("dart deno pants rails spring composer molecule symfony playwright newman", {"test": TESTS}),
    "cypress": {"run": TESTS},
    "artisan": {"test": TESTS},
    "django-admin": {"test": TESTS},
    "nx": {**TB, "e2e": TESTS},
    "react-scripts": TB,
    "vue-cli-service": {**TB, "test:unit": TESTS, "test:e2e": TESTS},
    **_same("vite next nuxt astro gatsby parcel mkdocs jekyll flit poetry uv maturin", {"build": BUILDS}),
    **_same("docker podman docker-compose docker-buildx", {"build": BUILDS, "buildx": BUILDS, "bake": BUILDS}),
    "earthly": {"+test": TESTS, "+build": BUILDS},
}
"""{program: {its first word that is no option: kind}}."""

NODE = frozenset({"npm", "yarn", "pnpm", "bun", "npm-run-all", "run-s", "run-p", "turbo", "lerna"})
NODE_OWN = word_set("install i ci add remove publish pack link init create update outdated audit dedupe why view config cache exec dlx x")
TASKS = frozenset({"just", "task", "invoke", "inv", "rake", "mage", "ant", "gulp", "grunt", "thor", "doit", "nox", "x.py"})

_TEST_PARTS = frozenset({"test", "tests", "testing", "check", "e2e", "spec", "specs", "pytest", "ctest", "jest", "vitest", "unittest", "unittests"})
_TEST_PARTS |= {"runtest", "runtests", "installcheck", "unit", "tox", "smoke"}
_BUILD_PARTS = frozenset({"build", "compile", "bundle", "all", "release", "dist", "rebuild", "package"})
OTHER_PARTS = word_set(
    "clean distclean mrproper lint format fmt typecheck help install deps setup venv init start run serve dev up down logs deploy shell watch docs"
    " doc publish coverage report stop restart migrate seed"
)
SPLIT = re.compile(r"[:_\-./]+")

SCRIPT = re.compile(
    r"(?:run[-_]?(?:all[-_]?)?tests?|runtests?|all[-_]?tests?|tests?|test[-_][\w.-]{1,100}|[\w-]{1,100}(?:[-_]tests?|[._]test|[._]spec))"
    r"(?:\.(?:sh|bash|py|rb|pl|ps1|bat|cmd|js|mjs|cjs|ts|mts|php))?\Z",
    re.IGNORECASE,
)
BUILD_SCRIPT = re.compile(
    r"(?:build|compile|make)(?:[-_](?!tests?\b|clean)[\w-]{1,100})?(?:\.(?:sh|bash|bat|cmd|ps1|js|mjs))?\Z"
    r"|(?:[\w-]{1,100}[-_])(?:build|compile)\.(?:sh|bash)\Z",
    re.IGNORECASE,
)
CODE = re.compile(r"\b(?:pytest|unittest|nose)\.(?:main|run)\(|\bdoctest\.testmod\(")


def named(name: str) -> int:
    """Return the kind of a target, a task or a script by its name: "test:unit", "build-release", "clean"."""
    parts = [part for part in SPLIT.split(name.lower()) if part]
    if not parts or parts[0] in OTHER_PARTS:
        return NOTHING
    if parts[0] in _TEST_PARTS or (parts[-1] in _TEST_PARTS and parts[0] not in _BUILD_PARTS):
        return TESTS
    return BUILDS if parts[0] in _BUILD_PARTS or parts[-1] in ("build", "compile") else NOTHING


_PYTEST = word_set(
    "-V -VV --collect-only --co --fixtures --funcargs --fixtures-per-test --markers --setup-plan --setup-only --setuponly --collectonly --cache-show"
)
QUERIES: Mapping[str, frozenset[str]] = {
    "pytest": _PYTEST,
    "py.test": _PYTEST,
    "ctest": frozenset({"-N", "--show-only", "--print-labels"}),
    "tox": frozenset({"-l", "-a", "--listenvs", "--listenvs-all", "list", "l", "config", "c", "--showconfig", "--notest", "-n", "devenv", "d"}),
    "jest": frozenset({"--listTests", "--showConfig", "--clearCache", "--init"}),
    "vitest": frozenset({"list", "init"}),
    "mocha": frozenset({"--list-files", "--list-reporters", "--list-interfaces"}),
    "rspec": frozenset({"--init"}),
    "phpunit": frozenset({"--list-tests", "--list-tests-xml", "--list-suites", "--list-groups"}),
    "stestr": frozenset({"list", "init", "last", "failing", "history"}),
    "nosetests": frozenset({"--collect-only"}),
    "behave": frozenset({"-d"}),
    "robot": frozenset({"--dryrun"}),
    "bats": frozenset({"-c", "--count"}),
    "prove": frozenset({"-D", "--dry"}),
    "trial": frozenset({"-n"}),
    "ginkgo": frozenset({"-dryRun", "--dryRun"}),
    "deno": frozenset({"--no-run"}),
    "swift": frozenset({"--list-tests", "-l"}),
    "meson": frozenset({"--list"}),
    "playwright": frozenset({"--list"}),
    "bazel": frozenset({"--nobuild"}),
    "turbo": frozenset({"--dry"}),
    "ninja": frozenset({"-n", "-t"}),
    "tsc": frozenset({"-v", "--init", "--showConfig", "--listFilesOnly"}),
}
"""{program: options by which it does not do what it does}; all of them have ``=value``, too."""
