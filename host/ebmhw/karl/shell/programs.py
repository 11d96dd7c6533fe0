"""Programs: whether a command runs tests, builds, or only asks a program that does for its version or help."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ebmhw.karl.shell.builders import BUILDERS
from ebmhw.karl.shell.kinds import ASKS, BUILDS, NOTHING, TESTS
from ebmhw.karl.shell.names import (
    ALONE,
    BUILD_SCRIPT,
    CODE,
    COMMANDS,
    COMPILERS,
    NODE,
    NODE_OWN,
    QUERIES,
    SCRIPT,
    TASKS,
    TB,
    named,
)
from ebmhw.karl.shell.wrappers import ASSIGNMENT, after_options, name_of, subcommand

_ASK = frozenset({"--version", "-version", "--help", "-help", "-h", "-?", "/?", "--dry-run"})
_SYNTAX = {
    **dict.fromkeys(("node", "nodejs"), frozenset({"-c", "--check"})),
    "php": frozenset({"-l", "--syntax-check"}),
    **dict.fromkeys(("ruby", "perl"), frozenset({"-c"})),
}
"""{interpreter: options by which it reads a script and does not run it}."""


def kind_of(words: Sequence[str]) -> int:
    """Return the kind of a command, which is no wrapper; ``words`` holds one word or more."""
    name = name_of(words[0])
    handler = _HANDLERS.get(name)
    if handler is not None:
        kind = handler(words)
    elif name in ALONE:
        kind = _alone(name, words)
    elif name in COMMANDS:
        place = subcommand(words)
        kind = COMMANDS[name].get(words[place], NOTHING) if place < len(words) else NOTHING
        if kind and (_queries(name, words) or (name == "swift" and words[place + 1 : place + 2] == ["list"])):
            kind = ASKS
    elif name in NODE:
        kind = _node(name, words)
    elif name in TASKS:
        kind = _tasks(words)
    else:
        kind = _script(words[0])
    return ASKS if kind and not _ASK.isdisjoint(words) else kind


def _alone(name: str, words: Sequence[str]) -> int:
    kind = ALONE[name]
    if name in COMPILERS:
        return kind if any(not word.startswith("-") for word in words[1:]) else NOTHING
    return ASKS if _queries(name, words) else kind


def _queries(name: str, words: Sequence[str]) -> bool:
    known = QUERIES.get(name)
    return known is not None and any(word.partition("=")[0] in known for word in words)


def _node(name: str, words: Sequence[str]) -> int:
    """Return the kind of ``npm run test:unit``, ``yarn workspace web test``, ``bun build``: of the first word that names a script."""
    place = subcommand(words)
    while place < len(words) and (words[place] in ("run", "run-script", "workspaces", "foreach") or words[place].startswith("-")):
        place += 1
    if place < len(words) and words[place] == "workspace":
        place += 2
        place += words[place : place + 1] == ["run"]
    if place >= len(words):
        return NOTHING
    if _queries(name, words):
        return ASKS
    word = words[place]
    if name == "npm" and word in ("t", "tst", "it", "install-test"):
        return TESTS
    if name in ("npm", "yarn", "pnpm", "bun") and word in NODE_OWN:
        return NOTHING
    if name == "npm" and word not in ("test",) and not {"run", "run-script"} & set(words[:place]):
        return NOTHING
    if word in ALONE or word in COMMANDS:
        return kind_of(words[place:])
    return named(word)


def _tasks(words: Sequence[str]) -> int:
    if not {"-l", "--list", "--summary", "-n", "--dry-run"}.isdisjoint(words):
        return ASKS
    if name_of(words[0]) == "nox":
        return TESTS
    kinds = NOTHING
    for word in words[1:]:
        if not word.startswith("-") and not ASSIGNMENT.match(word):
            kinds |= named(word)
    return kinds


def _python(words: Sequence[str]) -> int:
    place = 1
    while place < len(words) and words[place].startswith("-"):
        option = words[place]
        if option == "-m":
            return _module(words[place + 1 :])
        if option in ("-c", "-"):
            return TESTS if option == "-c" and any(CODE.search(code[:4000]) for code in words[place + 1 : place + 2]) else NOTHING
        place += 2 if option in ("-X", "-W") else 1
    return _run_script(words[place:])


def _module(words: Sequence[str]) -> int:
    if not words:
        return NOTHING
    if words[0] in ("django", "manage"):
        return TESTS if words[1:2] == ["test"] else NOTHING
    if words[0] in ("pip", "doctest"):
        return TESTS if words[0] == "doctest" else NOTHING
    if words[0] == "test" or words[0].startswith("test."):
        return TESTS
    last = words[0].rpartition(".")[2]
    return _run_script([f"./{last}.py"]) if words[0].startswith(("tests.", "test_")) else kind_of(words)


def _run_script(words: Sequence[str]) -> int:
    if not words:
        return NOTHING
    name = words[0].rpartition("/")[2]
    first = next((word for word in words[1:] if not word.startswith("-")), "")
    if name in ("manage.py", "artisan", "spark", "x.py", "waf"):
        return {"test": TESTS, "build": BUILDS}.get(first, NOTHING)
    if name == "setup.py":
        return TESTS if "test" in words else BUILDS if first.startswith(("build", "bdist", "sdist", "develop", "install")) else NOTHING
    if name in ALONE or name in _HANDLERS:
        return kind_of([name, *words[1:]])
    return _script(words[0] if "/" in words[0] else f"./{words[0]}")


def _project(words: Sequence[str]) -> int:
    """Return the kind of ``hatch test``, ``pdm run pytest``, ``pixi run test``: what they run is a program, or a script of the project's own."""
    place = subcommand(words)
    if place >= len(words) or words[place] != "run":
        return TB.get(words[place], NOTHING) if place < len(words) else NOTHING
    rest = words[after_options(words, place + 1, frozenset({"-e", "--env", "--environment", "--manifest-path", "-p", "--project"})) :]
    return (kind_of(rest) or named(rest[0].rpartition(":")[2])) if rest and rest[0] else NOTHING


def _coverage(words: Sequence[str]) -> int:
    place = subcommand(words)
    return _python(["python", *words[place + 1 :]]) if place < len(words) and words[place] == "run" else NOTHING


def _interpreter(words: Sequence[str]) -> int:
    if "--test" in words:
        return TESTS
    if not _SYNTAX.get(name_of(words[0]), frozenset()).isdisjoint(words[1:3]):
        return NOTHING
    place = 1
    while place < len(words) and words[place].startswith("-"):
        place += 2 if words[place] in ("-r", "--require", "--import", "--loader", "-e", "-I") else 1
    return _run_script(words[place:])


def _script(word: str) -> int:
    """Return the kind of a script that is run by its path; names without one are programs, of which ``test`` is the shell's own."""
    _, slash, name = word.rpartition("/")
    if not slash:
        return TESTS if SCRIPT.match(name) and "." in name.strip(".") else NOTHING
    if name in ("manage.py", "gradlew", "mvnw"):
        return NOTHING
    return TESTS if SCRIPT.match(name) else BUILDS if BUILD_SCRIPT.match(name) else NOTHING


_HANDLERS: Mapping[str, Callable[[Sequence[str]], int]] = {
    **BUILDERS,
    **dict.fromkeys(("python", "pypy", "py"), _python),
    "coverage": _coverage,
    **dict.fromkeys(("hatch", "pdm", "rye", "pixi"), _project),
    **dict.fromkeys(("node", "ruby", "php", "perl", "ts-node", "tsx", "Rscript", "julia", "nodejs"), _interpreter),
    **dict.fromkeys(("manage.py", "setup.py", "x.py"), _run_script),
}
