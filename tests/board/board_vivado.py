"""A stand-in for Vivado (``board_vivado.tcl`` under tclsh), what it is given to copy, and what its log says was built."""

from __future__ import annotations

import json
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from board_images import synthetic_bit
from board_tools import tool

STUB = Path(__file__).resolve().parent / "board_vivado.tcl"

_HEAD = """\
Copyright 1986-2022 Xilinx, Inc. All Rights Reserved. Copyright 2022-2023 Advanced Micro Devices, Inc. All Rights Reserved.
---------------------------------------------------------------------------------------------------------------------------------------------
| Tool Version : Vivado v.{version} (lin64) Build 4029153 Fri Oct 13 20:13:54 MDT 2023
| Date         : Mon Jan  6 12:00:00 2025
| Host         : builder running 64-bit Ubuntu 22.04.5 LTS
| Command      : {command}
| Design       : ebmhw_wrapper
| Device       : {device}
| Speed File   : -2LV  PRODUCTION 1.29 08-03-2020
| Design State : {state}
---------------------------------------------------------------------------------------------------------------------------------------------

"""


def timing_report(
    figures: Sequence[float | int | str] = (0.104, 0.0, 0, 161000, 0.010, 0.0, 0, 161000, 1.000, 0.0, 0, 65000),
    *,
    met: bool = True,
    version: str = "2023.2",
    device: str = "xck26-sfvc784",
    state: str = "Physopt postRoute",
) -> str:
    """Return a report of ``report_timing_summary`` in Vivado's form, with the twelve figures of its summary."""
    names = [
        "WNS(ns)", "TNS(ns)", "TNS Failing Endpoints", "TNS Total Endpoints", "WHS(ns)", "THS(ns)", "THS Failing Endpoints", "THS Total Endpoints",
        "WPWS(ns)", "TPWS(ns)", "TPWS Failing Endpoints", "TPWS Total Endpoints",
    ]  # fmt: skip
    shown = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in figures]
    widths = [max(len(name), 12) for name in names]
    rows = [
        "    " + "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=False)) + "  "
        for row in (names, ["-" * len(name) for name in names], shown)
    ]
    rule = "-" * 96
    verdict = "All user specified timing constraints are met." if met else "Timing constraints are not met."
    command = "report_timing_summary -delay_type min_max -max_paths 10 -file timing.rpt"
    head = _HEAD.format(version=version, command=command, device=device, state=state)
    return (
        f"{head}Timing Summary Report\n\n{rule}\n| Timer Settings\n| --------------\n{rule}\n\n  Enable Multi Corner Analysis       :  Yes\n\n"
        f"check_timing report\n\n1. checking no_clock (0)\n\n{rule}\n| Design Timing Summary\n| ---------------------\n{rule}\n\n"
        + "\n".join(rows)
        + f"\n\n\n{verdict}\n\n\n{rule}\n| Clock Summary\n| -------------\n{rule}\n\nClock     Waveform(ns)         Period(ns)      Frequency(MHz)\n"
        f"-----     ------------         ----------      --------------\nclk_pl_0  {{0.000 2.500}}        5.000           200.000         \n"
    )


RESOURCES = {"CLB LUTs": (64012, 117120), "CLB Registers": (65021, 234240), "Block RAM Tile": (46.5, 144), "URAM": (58, 64), "DSPs": (321, 1248)}


def utilisation_report(
    rows: Mapping[str, tuple[float, int]] | None = None, *, version: str = "2023.2", prohibited: bool = True, device: str = "xck26-sfvc784-2LV-c"
) -> str:
    """Return a report of ``report_utilization`` in Vivado's form; the column Prohibited came with 2020.2."""
    rows = RESOURCES if rows is None else rows
    columns = ["Site Type", "Used", "Fixed", *(["Prohibited"] if prohibited else []), "Available", "Util%"]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(27) if index == 0 else cell.rjust(10) for index, cell in enumerate(cells)) + " |\n"

    def row(name: str, used: float, there: int) -> str:
        return line([name, f"{used:g}", "0", *(["0"] if prohibited else []), str(there), f"{100 * used / there:.2f}"])

    text = _HEAD.format(version=version, command="report_utilization -file utilisation.rpt", device=device, state="Physopt postRoute")
    stars = {"CLB LUTs": "CLB LUTs*"} if version < "2023" else {}
    for number, (name, (used, there)) in enumerate(rows.items()):
        rule = "+" + "+".join("-" * (29 if index == 0 else 12) for index in range(len(columns))) + "+\n"
        inner = row("  LUT as Logic", used - 4000, there) + row("  LUT as Memory", 4000, 57600) if name == "CLB LUTs" else ""
        text += f"{number}. SECTION\n----------\n\n{rule}{line(columns)}{rule}{row(stars.get(name, name), used, there)}{inner}{rule}\n\n"
    rule = "+----------+-------+---------------------+"
    primitives = [rule, "| Ref Name |  Used | Functional Category |", rule, "| FDRE     | 60000 |            Register |"]
    return text + "8. Primitives\n-------------\n\n" + "\n".join([*primitives, "| DSPs     |     7 |      not a resource |", rule, ""])


class FakeVivado:
    """A folder with a ``vivado`` that runs the stand-in, and the environment that a run of it needs.

    Parameters
    ----------
    folder : gets the command and its files
    version : that it tells
    """

    def __init__(self, folder: Path, version: str = "vivado v2023.2 (64-bit)") -> None:
        self.folder, self.log = folder, folder / "calls.jsonl"
        folder.mkdir(parents=True)
        command = folder / "vivado"
        command.write_text(f'#!/bin/sh\nif [ "$1" = "-version" ]; then echo "{version}"; exit 0; fi\nexec "{tool("tclsh")}" "{STUB}" "$@"\n')
        command.chmod(0o755)
        synthetic_bit(folder / "given.bit")
        with zipfile.ZipFile(folder / "given.xsa", "w") as archive:
            archive.writestr("sysdef.xml", "<Project/>")
        (folder / "timing.rpt").write_text(timing_report())
        (folder / "utilisation.rpt").write_text(utilisation_report())
        (folder / "home").mkdir()

    def environment(self, fault: str = "") -> dict[str, str]:
        """Return the variables to set."""
        path = f"{self.folder}:/usr/bin:/bin"
        files = {"LOG": self.log, "BIT": self.folder / "given.bit", "XSA": self.folder / "given.xsa", "TIMING": self.folder / "timing.rpt"}
        files["UTILISATION"] = self.folder / "utilisation.rpt"
        return {"PATH": path, "STUB_FAULT": fault} | {f"STUB_{name}": str(value) for name, value in files.items()}

    def use(self, monkeypatch: pytest.MonkeyPatch, fault: str = "") -> None:
        """Put it on PATH."""
        for name, value in self.environment(fault).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("XILINX_VIVADO", raising=False)

    def calls(self) -> list[Call]:
        """Return all calls so far."""
        return [Call.of(json.loads(line)) for line in self.log.read_text().splitlines()]


VALUED = frozenset(
    {"-part", "-fileset", "-root_dir", "-vendor", "-library", "-taxonomy", "-of_objects", "-type", "-vlnv", "-rule", "-config", "-offset", "-range"}
    | {"-target_address_space", "-files", "-to_step", "-jobs", "-delay_type", "-max_paths", "-file", "-nworst"}
)


@dataclass(frozen=True)
class Call:
    """A command with its options (None for those without value) and its other words."""

    name: str
    options: Mapping[str, str | None]
    words: tuple[str, ...]

    @classmethod
    def of(cls, line: Sequence[str]) -> Call:
        """Return the call of a line of the log."""
        name, *rest = line
        options: dict[str, str | None] = {}
        words: list[str] = []
        waiting: Iterator[str] = iter(rest)
        for word in waiting:
            if word.startswith("-") and word[1:2].islower():
                options[word] = next(waiting) if word in VALUED else None
            else:
                words.append(word)
        return cls(name, options, tuple(words))


@dataclass
class Design:
    """A block design as the calls made it: nothing here comes from the scripts' own data."""

    cells: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    nets: list[list[str]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    addresses: list[tuple[str, int, int, str]] = field(default_factory=list)
    excluded: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, calls: Sequence[Call]) -> Design:
        """Return what the calls made."""
        made = cls()
        for call in calls:
            if call.name == "create_bd_cell":
                assert call.options["-type"] == "ip" and call.words[0] not in made.cells
                made.cells[call.words[0]] = str(call.options["-vlnv"])
            elif call.name == "set_property" and call.words[-1] in made.cells:
                assert "-dict" in call.options
                words = call.words[0].split()
                made.values[call.words[-1]].update(zip(words[::2], words[1::2], strict=True))
            elif call.name == "connect_bd_net":
                made.nets.append(list(call.words))
            elif call.name == "connect_bd_intf_net":
                made.links.append((call.words[0], call.words[1]))
            elif call.name == "assign_bd_address":
                where = (str(call.options["-target_address_space"]), int(str(call.options["-offset"]), 0), int(str(call.options["-range"]), 0))
                made.addresses.append((*where, call.words[0]))
            elif call.name == "exclude_bd_addr_seg":
                made.excluded.append((str(call.options["-target_address_space"]), call.words[0]))
        return made
