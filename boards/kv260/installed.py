"""Where a program of AMD's design tools is installed, and which version it is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from ebmhw.errors import BackendUnavailable

ROOTS: Final = ("/tools/Xilinx", "/opt/Xilinx", "/tools/AMD", "/opt/AMD")
"""Where installers put the tools; VERSION is below the tool's folder up to 2024.2, above it from 2025.1 on."""

_VERSION = re.compile(r"\bv?(\d{4}|\d{2})\.(\d+)")
_VERSION_SECONDS = 120


@final
@dataclass(frozen=True)
class Program:
    """A program that an installer brings.

    Attributes
    ----------
    label : what people call the tool
    command : the file in ``bin``
    folder : of the tool below an installer's folder
    home : variable of the environment that names an installation
    banner : regular expression of what stands before the version
    option : asks for the version
    """

    label: str
    command: str
    folder: str
    home: str
    banner: str
    option: str = "-version"


@final
@dataclass(frozen=True)
class Installed:
    """An installation: the program, its command, and its version as (year, release)."""

    program: Program
    command: Path
    version: tuple[int, int]

    @property
    def name(self) -> str:
        """What the manifest says of the tool."""
        return f"{self.program.label} {version_text(self.version)}"


def version_text(version: tuple[int, int]) -> str:
    """Return a version as AMD writes it."""
    return f"{version[0]}.{version[1]}"


def find(
    programs: Sequence[Program], oldest: tuple[int, int], purpose: str, remedy: str, environment: Mapping[str, str] | None, roots: Sequence[str]
) -> Installed:
    """Return the first of the programs on PATH, where their variables say, or the newest in one of the usual places.

    Parameters
    ----------
    programs : any will do; the earlier is taken where two are alike otherwise
    oldest : version that will do
    purpose : what needs it, as the error says
    remedy : what to do where there is none
    environment : variables, those of this process if None
    roots : folders of installers

    Raises
    ------
    BackendUnavailable
        There is none, or it is too old; the text says which is not good enough, and lists all that was tried.
    """
    environment = os.environ if environment is None else environment
    tried: list[str] = []
    unfit: list[str] = []
    candidates: list[tuple[Program, Path]] = []
    for program in programs:
        on_path = shutil.which(program.command, path=environment.get("PATH", ""))
        if on_path:
            candidates.append((program, Path(on_path)))
        else:
            tried.append(f"{program.command} on PATH (not there)")
    for program in programs:
        if home := environment.get(program.home):
            candidates.append((program, Path(home) / "bin" / program.command))
        else:
            tried.append(f"{program.home} (not set)")
    for root in roots:
        found = []
        for program in programs:
            patterns = (f"{program.folder}/*/bin/{program.command}", f"*/{program.folder}/bin/{program.command}")
            here = [(program, path) for pattern in patterns for path in Path(root).glob(pattern)]
            found += here
            if not here:
                tried += [f"{root}/{pattern} (none)" for pattern in patterns]
        candidates += sorted(found, key=lambda one: _numbers(str(one[1])), reverse=True)
    for program, path in candidates:
        if not (path.is_file() and os.access(path, os.X_OK)):
            tried.append(f"{path} (no command)")
            continue
        version = _version(program, path)
        if version is not None and version >= oldest:
            return Installed(program, path, version)
        if version is None:
            fault = f"{path} does not tell its version ({program.command} {program.option})"
        else:
            fault = f"{program.label} {version_text(version)} at {path} is too old"
        tried.append(fault)
        unfit.append(fault)
    label = programs[0].label
    lines = "\n".join(f"  {one}" for one in dict.fromkeys(tried))
    need = f"{purpose} needs {label} {version_text(oldest)} or newer"
    lead = f"{unfit[0]}: {need}" if unfit else f"{need}, and there is none"
    raise BackendUnavailable(f"{lead}; tried:\n{lines}\nTo get on: {remedy}")


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def _version(program: Program, command: Path) -> tuple[int, int] | None:
    try:
        done = subprocess.run(
            [command, program.option],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(program.banner + _VERSION.pattern, done.stdout, re.IGNORECASE)
    if found is None:
        return None
    year = int(found[1])
    return (year if year > 99 else 2000 + year), int(found[2])
