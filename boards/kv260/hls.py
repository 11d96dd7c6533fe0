"""``python -m boards.kv260.hls``: the phi unit's C++ twin into the IP that ``make bitstream PHI=hls`` takes, by Vitis HLS."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from boards.kv260.export import FOLDER, NAME, OLDEST, ROOT, SCRIPT, check_export
from boards.kv260.folders import fresh, locked
from boards.kv260.frame import framed, tell
from boards.kv260.installed import ROOTS, Installed, Program, find
from boards.kv260.watch import watch
from boards.kv260.written import written_by
from ebmhw.errors import ConfigError, EbmhwError, FirmwareError

_BANNER = r"\bvitis[ _-](?:hls|run)\b[^\n]*?\s"

VITIS_HLS: Final = Program("Vitis HLS", "vitis_hls", "Vitis_HLS", "XILINX_HLS", _BANNER)
"""The command up to 2024.1."""

VITIS_RUN: Final = Program("Vitis HLS", "vitis-run", "Vitis", "XILINX_VITIS", _BANNER, option="--version")
"""The command from 2024.2 on."""

REMEDY: Final = (
    f"install Vitis {OLDEST[0]}.{OLDEST[1]} or newer and put it on PATH (source settings64.sh); or run `make hls` on a machine that has it and copy "
    f"out/hls/{NAME} from there; or build without it: make bitstream PHI=rtl"
)

_RUNNING = re.compile(r"^INFO: \[HLS [\d-]+\] Running: ((?:csim|csynth|cosim|export)_design)\b")
_STEPS: Final = {
    "csim_design": "simulate the C++",
    "csynth_design": "synthesise",
    "cosim_design": "simulate the RTL",
    "export_design": "export",
}


def find_hls(environment: Mapping[str, str] | None = None, roots: Sequence[str] = ROOTS) -> Installed:
    """Return the Vitis HLS of PATH, of XILINX_HLS or XILINX_VITIS, or the newest in one of the usual places, under either name of its command.

    Raises
    ------
    BackendUnavailable
        There is none, or it is too old; the text lists all that was tried.
    """
    return find([VITIS_HLS, VITIS_RUN], OLDEST, "the phi unit from HLS", REMEDY, environment, roots)


def make_export(out: Path, limit_s: float, tell: Callable[[str], None] = print) -> Path:
    """Make the vectors, run the script of the HLS phi unit over them, and return the IP that it exports.

    Parameters
    ----------
    out : gets the vectors, the project, the log and the IP; what was exported before stays until there is a new one
    limit_s : seconds that Vitis HLS may take
    tell : is told of each step

    Raises
    ------
    BackendUnavailable
        There is no Vitis HLS that will do.
    FirmwareError
        The vectors cannot be made, Vitis HLS failed, or what it exported is none.
    TimeLimitExceeded
        Vitis HLS took too long.
    """
    if not limit_s > 0:
        raise ConfigError(f"the time limit is {limit_s} s; give a positive number")
    hls = find_hls()
    tell(f"{hls.name} at {hls.command}")
    with locked(out):
        work, vectors, log = out / "build", out / "vectors", out / "make_hls.log"
        fresh(work, vectors)
        tell("make the vectors")
        written_by("sim.phi_hls", vectors, "the vectors of the simulations", ROOT)
        options = ["-f"] if hls.program is VITIS_HLS else ["--mode", "hls", "--tcl"]
        try:
            with log.open("w", encoding="utf-8", buffering=1) as stream:
                run = watch(
                    "Vitis HLS",
                    [str(hls.command), *options, str(ROOT / SCRIPT)],
                    folder=work,
                    log=log,
                    limit_s=limit_s,
                    step_of=_step,
                    reason_of=lambda line: None,
                    tell=tell,
                    environment={**os.environ, "PHI_HLS_OUT": str(work), "PHI_HLS_VECTORS": str(vectors)},
                    hear=lambda line: stream.write(line + "\n"),
                    remedy=REMEDY,
                )
            if run.status:
                raise run.failure(work)
            made = work / NAME
            if not made.is_file():
                raise FirmwareError(f"Vitis HLS ended without exporting an IP: there is no {made}; log: {log}; nothing was installed")
            check_export(made)
            os.replace(made, out / NAME)
        except EbmhwError:  # a time limit is an OSError too
            raise
        except OSError as error:
            raise FirmwareError(f"{error.filename or log} cannot be written ({error.strerror or error}); give another folder with --out") from None
    tell(f"exported {out / NAME}; next: make bitstream PHI=hls")
    return out / NAME


def _step(line: str) -> str | None:
    found = _RUNNING.match(line)
    return _STEPS[found[1]] if found else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Export as the arguments say; returns 0, 1 after an error that is told, or 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m boards.kv260.hls", description="Export the phi unit's C++ twin as an IP, with Vitis HLS.")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the vectors, the project, the log and the IP (%(default)s)")
    parser.add_argument("--time-limit", type=float, default=6.0, metavar="HOURS", help="for Vitis HLS (%(default)s)")
    given = parser.parse_args(arguments)
    return framed(lambda: make_export(given.out.resolve(), 3600 * given.time_limit, tell), "stopped; nothing was exported")


if __name__ == "__main__":
    sys.exit(main())
