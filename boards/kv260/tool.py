"""Vivado: where it is, which version it is, and a run of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from boards.kv260.installed import ROOTS, Installed, Program, find
from boards.kv260.watch import Run, watch

OLDEST: Final = (2022, 1)
"""The first version whose commands and reports the flow was written for."""

VIVADO: Final = Program("Vivado", "vivado", "Vivado", "XILINX_VIVADO", banner=r"\bvivado ")

STEP: Final = "EBMHW STEP "
"""How a line of the Tcl scripts begins that names the step that starts."""

FAILED: Final = "EBMHW FAILED "
"""How the line begins that says why a script gave up."""

TIMING_STATUS: Final = 3
"""Exit status of the scripts where timing is not met."""

REMEDY: Final = (
    f"install Vivado ML Standard Edition {OLDEST[0]}.{OLDEST[1]} or newer, which needs no paid licence for the K26, and put it on PATH (source "
    "settings64.sh); or run `make bitstream` on a machine that has it and copy the folder bitstreams/ from there; or do without a board: "
    "get_backend('simulated')"
)


def find_vivado(environment: Mapping[str, str] | None = None, roots: Sequence[str] = ROOTS) -> Installed:
    """Return the Vivado of PATH, of XILINX_VIVADO, or the newest in one of the usual places.

    Raises
    ------
    BackendUnavailable
        There is none, or it is too old; the text lists all that was tried.
    """
    return find([VIVADO], OLDEST, "a bitstream", REMEDY, environment, roots)


def run_vivado(vivado: Installed, script: Path, settings: Path, folder: Path, limit_s: float, tell: Callable[[str], None]) -> Run:
    """Run a script in batch mode, tell its steps with the time they began at, and return what came of it.

    Raises
    ------
    TimeLimitExceeded
        It took longer than ``limit_s`` seconds.
    FirmwareError
        It cannot be started.
    """
    log = folder / "vivado.log"
    options = ["-mode", "batch", "-notrace", "-nojournal", "-log", str(log), "-source", str(script), "-tclargs", str(settings)]
    return watch(
        "Vivado",
        [str(vivado.command), *options],
        folder=folder,
        log=log,
        limit_s=limit_s,
        step_of=lambda line: after(STEP, line),
        reason_of=lambda line: after(FAILED, line),
        tell=tell,
        remedy=REMEDY,
    )


def after(mark: str, line: str) -> str | None:
    """Return the rest of a line that begins with the mark, None of any other."""
    return line.removeprefix(mark) if line.startswith(mark) else None
