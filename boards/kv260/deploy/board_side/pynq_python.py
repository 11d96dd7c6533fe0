"""PYNQ's Python on the board: what it has installed, and putting ebmhw into it and back."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from boards.kv260.deploy.board_side import installed_python
from boards.kv260.deploy.board_side.board import COMMANDS, Board
from boards.kv260.deploy.board_side.requirements import lacking, name_of
from boards.kv260.deploy.board_side.source import source_of
from ebmhw.board.command import Outcome
from ebmhw.errors import BoardError

_LOOK_SECONDS: Final = 60.0
_REMOVE_SECONDS: Final = 120.0
_SELF_TEST_BYTES: Final = 1 << 18
_LOOK_BYTES: Final = 1 << 23

_ONLINE: Final = ("--prefer-binary", "--retries", "1", "--timeout", "20")
_SETTING: Final = re.compile(r"(global|install)\.(?P<name>[a-z-]+)=(?P<value>'[^']*'|\"[^\"]*\")")
_KEPT: Final = ("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert", "client-cert", "proxy")
_PROXIES: Final = tuple(name for one in ("http_proxy", "https_proxy", "no_proxy") for name in (one, one.upper()))


def find_python(board: Board) -> str | None:
    """Return the path of PYNQ's Python, None where there is none."""
    return next((str(path) for path in (board.venv / "bin/python3", board.venv / "bin/python") if os.access(path, os.X_OK)), None)


def look(board: Board, names: Sequence[str] = ()) -> dict[str, Any] | None:
    """Return what PYNQ's Python has installed, as `installed_python`, None where there is no such Python; BoardError where it does not say."""
    python = find_python(board)
    if python is None:
        return None
    done = board.run([python, "-c", source_of(installed_python), *names], _LOOK_SECONDS, kept=_LOOK_BYTES)
    for line in done.output.splitlines():
        if line.startswith(installed_python.MARK):
            try:
                found = json.loads(line[len(installed_python.MARK) :])
            except ValueError:
                break
            if isinstance(found, dict):
                return found
    raise BoardError(f"{python} {done.ended} and does not say what it has installed: {done.output[-400:] or 'nothing'}")


def told(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return of that what the host judges."""
    return None if found is None else {name: one for name, one in found.items() if name not in ("environment", "files", "folders")}


def save(board: Board, archive: Path, requirements: Sequence[str]) -> dict[str, Any]:
    """Write the files of ebmhw, and of what is to be replaced by a version that is required, into an archive, of their whole paths.

    Returns
    -------
    versions : of all that lies in the environment, by name
    entries : names of what lies in the environment's folders of packages and commands, by folder
    """
    found = look(board, [name_of(one) for one in requirements]) or {"environment": {}, "versions": {}, "files": {}, "folders": []}
    names = ["ebmhw", *(name_of(one) for one in lacking(requirements, found["versions"]))]
    with tarfile.open(archive, "w") as writing:
        for path in [os.path.realpath(path) for name in names for path in found["files"].get(name, [])]:
            if os.path.lexists(path):
                writing.add(path, path.lstrip("/"), recursive=False)
            board.link.check()
    return {"versions": found["environment"], "entries": {folder: os.listdir(folder) for folder in found["folders"]}}


def install(board: Board, package: Path, requirements: Sequence[str], seconds: float, *, offline: bool) -> None:
    """Install a package that lies on the board.

    Parameters
    ----------
    package : a wheel or an sdist
    requirements : of it, and limits of what it may bring
    seconds : limit of all that
    offline : whether only what is there may be used; else what is missing, and what builds the package, comes from the board's package index
    """
    end, more = time.monotonic() + seconds, {} if offline else _of_pip(board)
    if not offline:
        _installed(_pip(board, ["install", *_ONLINE, *requirements], seconds, more), offline=False)
    # Apart, for it replaces ebmhw whatever its version, and nothing else.
    options = ["--no-index", "--no-build-isolation"] if offline else _ONLINE
    done = _pip(board, ["install", "--no-deps", "--force-reinstall", *options, str(package)], max(end - time.monotonic(), 1.0), more)
    _installed(done, offline=offline)


def _installed(done: Outcome, *, offline: bool) -> None:
    if done.status == 0:
        return
    remedy = (
        ""
        if offline
        else "; is the board on a network that reaches its package index (pip download click), and its clock right (date)? else --offline"
    )
    raise BoardError(f"{done.told()}{remedy}; nothing of it stays")


def _of_pip(board: Board) -> dict[str, str]:
    """Return where the board's pip gets packages, as an environment without its files: Kria-PYNQ's has it build with the venv's old setuptools."""
    done = _pip(board, ["config", "list"], _LOOK_SECONDS)
    found = {"PIP_CONFIG_FILE": os.devnull}
    for line in done.output.splitlines():
        match = _SETTING.fullmatch(line.strip())
        if match and match["name"] in _KEPT:
            found["PIP_" + match["name"].upper().replace("-", "_")] = " ".join(str(ast.literal_eval(match["value"])).split())
    return found


def restore(board: Board, archive: Path, before: Mapping[str, Any] | None) -> None:
    """Put back what `save` wrote, in the place of what is installed now, and remove what was not there before, also what an ended pip left half-done.

    Parameters
    ----------
    before : what `save` returned; None for a journal that does not tell
    """
    now = _environment_of(board)
    names = sorted({"ebmhw", *(name for name, version in now.items() if before is not None and before["versions"].get(name) != version)})
    done = _pip(board, ["uninstall", "-y", *names], _REMOVE_SECONDS)
    if done.status != 0 and before is None:
        raise BoardError(f"{', '.join(names)} cannot be uninstalled: {done.told()}")
    with tarfile.open(archive) as reading:
        for folder, kept in (before or {"entries": {}})["entries"].items():
            replaced = {path.relative_to(folder).parts[0] for path in (Path("/", one) for one in reading.getnames()) if Path(folder) in path.parents}
            # Folders of commands are everyone's.
            replaced = {name for name in replaced if folder.endswith("-packages") and name in kept}
            for name in replaced | (set(os.listdir(folder)) - set(kept)):
                _remove(Path(folder, name))
        # Our own archive of absolute paths, which the filter of later Pythons would refuse.
        reading.extraction_filter = lambda member, path: member
        reading.extractall("/")
    if before is not None:
        now, due = _environment_of(board), before["versions"]
        wrong = [f"{name}=={version}" for name, version in due.items() if now.get(name) != version]
        more = sorted(set(now) - set(due))
        if wrong or more:
            python = _python(board)
            told = [f"sudo {python} -m pip install --no-deps {' '.join(wrong)}"] if wrong else []
            told += [f"sudo {python} -m pip uninstall -y {' '.join(more)}"] if more else []
            raise BoardError(f"{board.venv} does not hold again what it held ({done.ended}); put it right: {' && '.join(told)}")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def _environment_of(board: Board) -> dict[str, str]:
    found: dict[str, str] = (look(board) or {"environment": {}})["environment"]
    return found


def probe(board: Board, requirement: str) -> str:
    """Return why a package cannot be had from the board's index, "" where it can; nothing is installed."""
    with tempfile.TemporaryDirectory(prefix="ebmhw-") as folder:
        options = ["--no-deps", "--only-binary", ":all:", "--retries", "0", "--timeout", "10", "--dest", folder]
        done = _pip(board, ["download", *options, requirement], _LOOK_SECONDS, _of_pip(board))
    return "" if done.status == 0 else done.told()


def self_test(board: Board, seconds: float) -> dict[str, Any]:
    """Run the self-test and return what it printed, for the host to judge."""
    done = board.run([_python(board), "-m", "ebmhw", "board", "selftest", "--json"], seconds, _environment(board), apart=True, kept=_SELF_TEST_BYTES)
    if done.status is None:
        raise BoardError(done.told())
    return {"status": done.status, "output": done.output, "errors": done.errors[-4000:]}


def _pip(board: Board, arguments: Sequence[str], seconds: float, more: Mapping[str, str] | None = None) -> Outcome:
    proxies = {name: os.environ[name] for name in _PROXIES if name in os.environ}
    return board.run([_python(board), "-m", "pip", *arguments], seconds, {**proxies, **_environment(board), **(more or {})})


def _python(board: Board) -> str:
    python = find_python(board)
    if python is None:
        raise BoardError(f"there is no {board.venv}/bin/python3 any more; install Kria-PYNQ (its install.sh -b KV260)")
    return python


def _environment(board: Board) -> dict[str, str]:
    """Return what Kria-PYNQ's login script sets."""
    return {
        "PATH": ":".join((f"{board.venv}/bin", *COMMANDS)),
        "VIRTUAL_ENV": str(board.venv),
        "XILINX_XRT": "/usr",
        "BOARD": "KV260",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
