"""Wrappers: programs that run another one, and what it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ebmhw.karl.shell.names import word_set

ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_VERSION = re.compile(r"(?:[-.]?\d[\d.]*)?(?:\.exe)?\Z")
_NAME_CHARS = 64
_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ksh", "fish", "pwsh", "powershell", "su", "script", "cmd"})
_POSIX = frozenset({"bash", "sh", "zsh", "dash", "ksh", "fish"})
_READS_ONLY = re.compile(r"-[a-mp-z]{0,5}n[a-mp-z]{0,5}")
"""``-n`` of a shell, which reads a script and does not run it, alone or with other flags."""

_LINE_OPTION = re.compile(r"-[a-z]*c|--command|-Command|/c", re.ASCII)


class _Wrapper(NamedTuple):
    valued: frozenset[str]
    before: int


def _wrapper(valued: str = "", before: int = 0) -> _Wrapper:
    return _Wrapper(word_set(valued), before)


_DOCKER = (
    "-v --volume -w --workdir -e --env -u --user -p --publish --name --network --net --entrypoint -m --memory --mount --env-file --platform --cpus"
    " --gpus -h --hostname -l --label --shm-size --add-host --device --ulimit --index --scale --pull --restart --security-opt --cap-add --tmpfs"
)
_PYTHON_RUN = (
    "--with -p --python --extra --group --env-file --project --directory --package --index-url --with-requirements --with-editable"
    " --only-group --from"
)

_WRAPPERS: Mapping[str, _Wrapper] = {
    "sudo": _wrapper("-u -g -h -p -C -r -t -U -D -T -R --user --group --host --prompt --chdir"),
    "doas": _wrapper("-u -C"),
    "env": _wrapper("-u --unset -C --chdir"),
    "nice": _wrapper("-n --adjustment"),
    "ionice": _wrapper("-c -n --class --classdata"),
    "time": _wrapper("-f -o --format --output"),
    "timeout": _wrapper("-s -k --signal --kill-after", 1),
    "gtimeout": _wrapper("-s -k --signal --kill-after", 1),
    "stdbuf": _wrapper("-i -o -e --input --output --error"),
    "xvfb-run": _wrapper("-e -f -n -p -s -w --server-num --server-args --error-file --auth-file --wait"),
    "xargs": _wrapper("-n -I -P -L -d -a -s -E --max-args --max-procs --replace --delimiter --arg-file"),
    "watch": _wrapper("-n --interval"),
    "flock": _wrapper("-w -E --timeout", 1),
    "exec": _wrapper("-a"),
    "strace": _wrapper("-e -o -p -s"),
    "npx": _wrapper("-p --package -w --workspace"),
    "bunx": _wrapper("-p --package"),
    "uvx": _wrapper(_PYTHON_RUN),
    **dict.fromkeys(("nohup", "setsid", "command", "builtin", "unbuffer", "caffeinate", "chronic", "valgrind", "busybox", "noglob"), _wrapper()),
}

_RUNS: Mapping[tuple[str, str], _Wrapper] = {
    ("uv", "run"): _wrapper(_PYTHON_RUN),
    ("poetry", "run"): _wrapper(),
    ("pipenv", "run"): _wrapper(),
    ("pipx", "run"): _wrapper("--spec --python"),
    **{(name, "run"): _wrapper("-n --name -p --prefix --cwd") for name in ("conda", "mamba", "micromamba")},
    ("bundle", "exec"): _wrapper(),
    ("npm", "exec"): _wrapper("-p --package -w --workspace"),
    ("npm", "x"): _wrapper("-p --package -w --workspace"),
    **{(name, "exec"): _wrapper() for name in ("pnpm", "yarn", "mise", "asdf")},
    **{(name, "dlx"): _wrapper("-p --package") for name in ("pnpm", "yarn")},
    ("bun", "x"): _wrapper("-p --package"),
    ("mise", "x"): _wrapper(),
    ("direnv", "exec"): _wrapper("", 1),
    **{(name, "run"): _wrapper() for name in ("dotenvx", "doppler", "op", "infisical")},
    **{(name, command): _wrapper(_DOCKER, 1) for name in ("docker", "podman", "docker-compose") for command in ("exec", "run")},
    ("kubectl", "exec"): _wrapper("-n -c --namespace --container", 1),
    ("nix", "develop"): _wrapper("", 0),
}

_GLOBAL = word_set("-C -f -p -P --project --directory --file --prefix --cwd --dir --filter -F --workspace -w -n --context --manifest-path")
"""Options that take a value before a subcommand."""

_SSH = word_set("-i -p -l -o -F -L -R -D -J -W -b -c -e -m -S -w")


def name_of(word: str) -> str:
    """Return what a program is called, without folder, version and ``.exe``: "python" of ``/usr/bin/python3.11``."""
    own = word.rpartition("/")[2]
    if len(own) > _NAME_CHARS:
        return own
    cut = _VERSION.search(own)
    assert cut is not None  # it matches nothing, too
    # "c8" is a name of its own.
    return own[: cut.start()] if cut.start() > 1 else own


def after_options(words: Sequence[str], start: int, valued: frozenset[str]) -> int:
    """Return where the first word from ``start`` on stands that is neither an option nor the value of one; ``--`` ends them."""
    while start < len(words):
        word = words[start]
        if word == "--":
            return start + 1
        if not word.startswith("-") or word == "-":
            return start
        start += 2 if word in valued else 1
    return start


def subcommand(words: Sequence[str]) -> int:
    """Return where the subcommand of a program stands, ``len(words)`` where it has none."""
    return min(after_options(words, 1, _GLOBAL), len(words))


def inner(words: Sequence[str]) -> list[str] | str | None:
    """Return what a wrapper runs: the words of a command, or a line for a shell; None for what is no wrapper."""
    name = name_of(words[0])
    if name in _SHELLS:
        return _shell(words)
    if name == "eval":
        return " ".join(words[1:])
    if name == "ssh":
        return " ".join(words[after_options(words, 1, _SSH) + 1 :])
    if name == "nix-shell":
        return next((words[place + 1] for place, word in enumerate(words[:-1]) if word in ("--run", "--command")), "")
    if name == "command" and words[1:2] in (["-v"], ["-V"]):
        return []
    if name in _WRAPPERS:
        return _rest(words, 1, _WRAPPERS[name])
    if name == "docker" and words[1:2] == ["compose"]:
        return ["docker-compose", *words[2:]]
    place = subcommand(words)
    if place >= len(words):
        return None
    run = _RUNS.get((name, words[place]))
    return None if run is None else _rest(words, place + 1, run)


def _rest(words: Sequence[str], start: int, wrapper: _Wrapper) -> list[str]:
    place = start
    left = wrapper.before
    while True:
        place = after_options(words, place, wrapper.valued)
        while place < len(words) and ASSIGNMENT.match(words[place]):
            place += 1
        if not left or place >= len(words):
            break
        place, left = place + 1, left - 1
        if not left:
            # What follows it is the command, whose options are its own; "pod -- command" is said, too.
            place += words[place : place + 1] == ["--"]
            break
    rest = list(words[place:])
    # "npx jest@29 --ci"
    if rest and "@" in rest[0][1:] and "/" not in rest[0]:
        rest[0] = rest[0].partition("@")[0]
    return rest


def _shell(words: Sequence[str]) -> list[str] | str | None:
    for place, word in enumerate(words[1:], 1):
        if word in ("--noexec", "--no-execute") or (_READS_ONLY.fullmatch(word) and name_of(words[0]) in _POSIX):
            return []
        if _LINE_OPTION.fullmatch(word):
            return words[place + 1] if place + 1 < len(words) else ""
        if not word.startswith("-") and name_of(words[0]) not in ("su", "cmd"):
            # A script: "bash run_tests.sh" runs what "./run_tests.sh" does.
            return [word if "/" in word else f"./{word}", *words[place + 1 :]]
    return []
