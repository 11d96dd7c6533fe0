"""The files of each unit's IP: its own Verilog, cut out of that of all, and for the HLS variant the shell with what Vitis HLS exported."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, final

from boards.kv260.export import remedy
from boards.kv260.verilog import TOP_SUFFIX, Library, check_disjoint, wrapper
from boards.kv260.written import written_by
from ebmhw.contract.design import UNITS
from ebmhw.contract.sources import Sidecar
from ebmhw.errors import FirmwareError
from ebmhw.rtl import RtlSources

HLS_TOP: Final = "phi_unit"
"""Module that Vitis HLS makes, which has the name of the unit."""

HLS_RENAMED: Final = "phi_unit_hls"
"""What that module is called in the IP, and by the shell."""


@final
@dataclass(frozen=True)
class UnitSources:
    """What a unit's IP is packaged from.

    Attributes
    ----------
    top : module of the wrapper
    files : Verilog and SystemVerilog
    memory_files : that these read
    modules : that they define
    """

    top: str
    files: tuple[Path, ...]
    memory_files: tuple[Path, ...]
    modules: tuple[str, ...]


def write_sources(rtl: RtlSources, folder: Path, *, hls_export: Path | None, root: Path) -> dict[str, UnitSources]:
    """Write the files of each unit below ``folder`` and return them by unit.

    Parameters
    ----------
    rtl : Verilog of all units, with its sidecar
    folder : gets a folder of each unit
    hls_export : what ``hdl/phi_unit/hls/run_hls.tcl`` exported where the phi unit is to be made from that, else None
    root : of the checkout

    Raises
    ------
    FirmwareError
        A file is cut or missing, or a module is in two IPs.
    """
    library = Library.of(rtl.verilog.read_text(encoding="utf-8"), str(rtl.verilog))
    made = {}
    for unit in UNITS:
        into = folder / unit.name
        into.mkdir(parents=True)
        if unit.name == HLS_TOP and hls_export is not None:
            files, memory_files, modules = _hls(hls_export, into, root)
        else:
            part = library.below(unit.name)
            # always_ff is SystemVerilog, which Vivado tells by the name.
            path = into / f"{unit.name}.sv"
            path.write_text(part.text(), encoding="utf-8", newline="")
            files, memory_files, modules = [path], [], list(part.modules)
        top = into / f"{unit.name}{TOP_SUFFIX}.v"
        top.write_text(_wrapper(unit.name, rtl.sidecar), encoding="utf-8")
        made[unit.name] = UnitSources(unit.name + TOP_SUFFIX, (*files, top), tuple(memory_files), (*modules, unit.name + TOP_SUFFIX))
    check_disjoint({f"the IP of {name}": sources.modules for name, sources in made.items()})
    return made


def _wrapper(unit: str, sidecar: Sidecar) -> str:
    return wrapper(unit, sidecar.units[unit].ports)


def _hls(export: Path, folder: Path, root: Path) -> tuple[list[Path], list[Path], list[str]]:
    shell = written_by("hdl.phi_unit.hls.shell", folder / "shell", "the shell of the HLS phi unit", root)
    # As the units' files: SystemVerilog by its name, and not the name of the module's file that Vitis HLS exports.
    files = [path.rename(path.with_suffix(".sv")) for path in sorted(shell.glob("*.v"))]
    exported, memory_files = _unpack(export, folder / "exported")
    modules: dict[str, list[str]] = {}
    for path in (*files, *exported):
        modules[str(path)] = list(Library.of(path.read_text(encoding="utf-8"), str(path)).modules)
    check_disjoint(modules)
    theirs = [name for path in exported for name in modules[str(path)]]
    shells = Library.of("\n".join(path.read_text(encoding="utf-8") for path in files), str(shell))
    shells.below(HLS_TOP, theirs)
    return [*files, *exported], memory_files, [name for names in modules.values() for name in names]


def _unpack(export: Path, folder: Path) -> tuple[list[Path], list[Path]]:
    files: list[Path] = []
    memory_files: list[Path] = []
    folder.mkdir()
    try:
        with zipfile.ZipFile(export) as archive:
            for name in sorted(archive.namelist()):
                path = PurePosixPath(name)
                if path.parent != PurePosixPath("hdl/verilog") or path.suffix not in {".v", ".sv", ".vh", ".dat", ".tcl"}:
                    continue
                if path.suffix == ".tcl":
                    raise FirmwareError(f"{export} holds {name}, an IP within the IP; write the data path so that Vitis HLS needs none")
                target = folder / path.name
                target.write_bytes(archive.read(name))
                (memory_files if path.suffix in {".dat", ".vh"} else files).append(target)
    except (OSError, zipfile.BadZipFile) as error:
        raise FirmwareError(f"{export} cannot be read as the IP that Vitis HLS exports ({error}); {remedy()}") from None
    top = folder / f"{HLS_TOP}.v"
    if top not in files:
        raise FirmwareError(f"{export} holds no hdl/verilog/{HLS_TOP}.v; {remedy()}")
    text, renamed = re.subn(rf"^(\s*module\s+){HLS_TOP}\b", rf"\g<1>{HLS_RENAMED}", top.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if renamed != 1:
        raise FirmwareError(f"hdl/verilog/{HLS_TOP}.v of {export} defines module {HLS_TOP} {renamed} times, not once; {remedy()}")
    top.write_text(text, encoding="utf-8")
    return files, memory_files
