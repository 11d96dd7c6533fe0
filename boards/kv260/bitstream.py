"""``python -m boards.kv260.bitstream``: the RTL of the KV260 into a bitstream, by Vivado."""

from __future__ import annotations

import argparse
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from boards.kv260 import reports
from boards.kv260.export import FOLDER, NAME, ROOT, check_export
from boards.kv260.folders import fresh, locked
from boards.kv260.frame import framed, tell
from boards.kv260.handoff import check_handoff
from boards.kv260.install import install
from boards.kv260.installed import Installed
from boards.kv260.settings import settings_text
from boards.kv260.sources import write_sources
from boards.kv260.tool import TIMING_STATUS, find_vivado, run_vivado
from boards.kv260.watch import Run
from ebmhw import rtl
from ebmhw.board.block_design import CLOCK_MHZ, CLOCKS_MHZ, PART, PHI_SOURCES, STEM
from ebmhw.board.manifest import SUFFIXES, BitstreamEntry, FileFacts, Timing
from ebmhw.errors import ConfigError, FirmwareError

SCRIPTS: Final = Path(__file__).resolve().parent / "vivado"

CONFIG: Final = "kv260"
"""Configuration of the RTL, and name of the bitstream."""

REPORTS: Final = ("timing.rpt", "utilisation.rpt")
"""What is read after a run."""

_BIT_MAGIC: Final = bytes.fromhex("00090ff00ff00ff00ff0000001")


@final
@dataclass(frozen=True)
class Options:
    """What is to be built, and where.

    Attributes
    ----------
    clock_mhz : of pl_clk0
    phi : what the phi unit's data path is made from
    jobs : processes of Vivado
    out : gets the project, the logs and the reports
    install : gets the bitstream and the manifest
    limit_s : seconds that Vivado may take
    hls_export : what Vitis HLS exported, for the phi unit from HLS
    """

    clock_mhz: int = CLOCK_MHZ
    phi: str = "rtl"
    jobs: int = 4
    out: Path = ROOT / "out" / CONFIG
    install: Path = ROOT / "bitstreams"
    limit_s: float = 6 * 3600.0
    hls_export: Path = FOLDER / NAME

    def __post_init__(self) -> None:
        if self.clock_mhz not in CLOCKS_MHZ:
            raise clock_error(self.clock_mhz)
        if self.phi not in PHI_SOURCES:
            raise ConfigError(f"PHI is {self.phi!r}; choose {' or '.join(PHI_SOURCES)} (--phi)")
        if self.jobs < 1:
            raise ConfigError(f"Vivado is to run {self.jobs} jobs; give at least 1")
        if not self.limit_s > 0:
            raise ConfigError(f"the time limit is {self.limit_s} s; give a positive number")


def build(options: Options, rtl_folder: Path = rtl.FOLDER, tell: Callable[[str], None] = print) -> BitstreamEntry:
    """Build the bitstream and install it, and return its entry of the manifest.

    Raises
    ------
    BackendUnavailable
        The RTL is missing or out of date, or there is no Vivado that will do.
    FirmwareError
        The phi unit from HLS is not made yet, Vivado failed, timing is not met, or what it wrote is not what it should be; nothing is
        installed then.
    TimeLimitExceeded
        Vivado took too long.
    """
    sources = rtl.find(CONFIG, rtl_folder)
    if options.phi == "hls":
        check_export(options.hls_export)
    vivado = find_vivado()
    tell(
        f"{vivado.name} at {vivado.command}, RTL of build {sources.sidecar.build:#010x}, {options.clock_mhz} MHz, phi unit from {options.phi.upper()}"
    )
    work, told = options.out / "build", options.out / "reports"
    with locked(options.out):
        fresh(work, told)
        units = write_sources(sources, work / "rtl", hls_export=options.hls_export if options.phi == "hls" else None, root=ROOT)
        settings = work / "settings.tcl"
        text = settings_text(
            folder=work,
            reports=told,
            clock_mhz=options.clock_mhz,
            phi=options.phi,
            jobs=options.jobs,
            sources={name: unit.files for name, unit in units.items()},
            tops={name: unit.top for name, unit in units.items()},
            memory_files={name: unit.memory_files for name, unit in units.items()},
        )
        settings.write_text(text, encoding="utf-8")
        run = _vivado(vivado, settings, work, told, options, tell)
        timing = reports.timing(told / "timing.rpt")
        if not timing.met:
            raise timing_error(timing, options.clock_mhz, told / "timing.rpt")
        utilisation = reports.utilisation(told / "utilisation.rpt")
        board = _board(work / "board.txt")
        files = _products(work / "products", run.log)

        def entry(facts: dict[str, FileFacts]) -> BitstreamEntry:
            return BitstreamEntry.of_rtl(
                sources.sidecar,
                name=CONFIG,
                phi=options.phi,
                part=PART,
                board=board,
                clock_mhz=options.clock_mhz,
                tool=vivado.name,
                timing=timing,
                utilisation=utilisation,
                files=facts,
            )

        made = install(CONFIG, files, options.install, entry)
    used = ", ".join(f"{what} {used}/{there}" for what, (used, there) in made.utilisation.items())
    tell(f"setup slack {timing.setup_slack:+.3f} ns, hold slack {timing.hold_slack:+.3f} ns; {used}")
    tell(f"installed {', '.join(sorted(made.files))} in {options.install / CONFIG}; next: make firmware")
    return made


def clock_error(given: str | int) -> ConfigError:
    """Return the error of a clock that cannot be had, in the words of ``make`` and of the command."""
    return ConfigError(f"CLOCK is {given!r}; choose one of {', '.join(map(str, CLOCKS_MHZ))} MHz (--clock)")


def timing_error(timing: Timing, clock_mhz: int, report: Path) -> FirmwareError:
    """Return the error of a design that does not meet its clock."""
    period = 1000 / clock_mhz
    lower = [clock for clock in CLOCKS_MHZ if clock < clock_mhz and 1000 / clock >= period - min(timing.setup_slack, 0)]
    if timing.setup_slack < 0 and lower:
        remedy = f"build for a slower clock: --clock {max(lower)}"
    elif timing.setup_slack < 0:
        remedy = "no slower clock will do: look into the report for the path"
    else:
        remedy = "a slower clock does not mend that: look into the report for the paths, and build again"
    return FirmwareError(
        f"timing is not met at {clock_mhz} MHz: the worst setup slack is {timing.setup_slack:+.3f} ns, the worst hold slack "
        f"{timing.hold_slack:+.3f} ns, {timing.failing_endpoints} endpoints fail ({report}); nothing was installed; {remedy}"
    )


def _vivado(vivado: Installed, settings: Path, work: Path, told: Path, options: Options, tell: Callable[[str], None]) -> Run:
    run = run_vivado(vivado, SCRIPTS / "build.tcl", settings, work, options.limit_s, tell)
    if run.status == TIMING_STATUS and (told / "timing.rpt").is_file():
        timing = reports.timing(told / "timing.rpt")
        if not timing.met:
            raise timing_error(timing, options.clock_mhz, told / "timing.rpt")
    if run.status:
        raise run.failure(work)
    missing = [str(told / name) for name in REPORTS if not (told / name).is_file()]
    if missing:
        log = run.log if run.log.is_file() else f"{run.log}, which was not written either: is {vivado.command} Vivado?"
        raise FirmwareError(f"Vivado ended without writing reports: there is no {' and no '.join(missing)}; log: {log}; nothing was installed")
    return run


def _products(folder: Path, log: Path) -> dict[str, Path]:
    files = {STEM + suffix: folder / (STEM + suffix) for suffix in SUFFIXES}
    for path in files.values():
        if not path.is_file() or not path.stat().st_size:
            raise FirmwareError(f"Vivado ended well but wrote no {path}, or an empty one; log: {log}; nothing was installed")
    with files[f"{STEM}.bit"].open("rb") as stream:
        head = stream.read(512)
    if not head.startswith(_BIT_MAGIC) or PART.split("-")[0].encode() not in head:
        raise FirmwareError(f"{files[f'{STEM}.bit']} is no bitstream of {PART}; build again; nothing was installed")
    if not zipfile.is_zipfile(files[f"{STEM}.xsa"]):
        raise FirmwareError(f"{files[f'{STEM}.xsa']} is no hardware platform (a ZIP archive): it was cut; build again; nothing was installed")
    check_handoff(files[f"{STEM}.hwh"])
    return files


def _board(path: Path) -> str:
    """Return the board files that the script took, which it writes down."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise FirmwareError(f"{path}, where the script says which board files it took, cannot be read ({error.strerror or error})") from None


def _clock(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise clock_error(text)
    return int(text)


def main(arguments: Sequence[str] | None = None, rtl_folder: Path = rtl.FOLDER) -> int:
    """Build as the arguments say; returns 0, 1 after an error that is told, or 130 after Ctrl-C."""
    default = Options()
    parser = argparse.ArgumentParser(prog="python -m boards.kv260.bitstream", description="Build the bitstream of the KV260 with Vivado.")
    # As texts, for make passes what CLOCK and PHI are: an error then names these.
    parser.add_argument("--clock", default=str(default.clock_mhz), metavar="MHZ", help=f"one of {', '.join(map(str, CLOCKS_MHZ))} (%(default)s)")
    parser.add_argument("--phi", default=default.phi, help=f"what the phi unit is made from: {' or '.join(PHI_SOURCES)} (%(default)s)")
    parser.add_argument("--jobs", type=int, default=default.jobs, help="processes of Vivado, each takes gigabytes of memory (%(default)s)")
    parser.add_argument("--out", type=Path, default=default.out, help="folder of the project, the logs and the reports (%(default)s)")
    parser.add_argument("--install", type=Path, default=default.install, help="folder of the bitstreams (%(default)s)")
    parser.add_argument("--time-limit", type=float, default=default.limit_s / 3600, metavar="HOURS", help="for Vivado (%(default)s)")
    parser.add_argument("--hls-export", type=Path, default=default.hls_export, help="IP that Vitis HLS exported, for --phi hls (%(default)s)")
    given = parser.parse_args(arguments)

    def act() -> None:
        options = Options(
            clock_mhz=_clock(given.clock),
            phi=given.phi,
            jobs=given.jobs,
            out=given.out.resolve(),
            install=given.install.resolve(),
            limit_s=3600 * given.time_limit,
            hls_export=given.hls_export,
        )
        build(options, rtl_folder, tell)

    return framed(act, "stopped; nothing was installed")


if __name__ == "__main__":
    sys.exit(main())
