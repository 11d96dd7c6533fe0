"""What Vivado's reports of timing and of utilisation say, versions 2022.1 to 2025.2."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Final

from ebmhw.board.block_design import PART
from ebmhw.board.manifest import Timing
from ebmhw.errors import FirmwareError

_SUMMARY = "| Design Timing Summary"
_MET = "All user specified timing constraints are met."
_NOT_MET = "Timing constraints are not met."
_ROUTED: Final = frozenset({"Routed", "Fully Routed", "Physopt postRoute"})
"""What a report calls a routed design; the last is what the optimisation after routing leaves, though it changed nothing."""

_COLUMNS: Final = 12
"""Of the summary: slack, total, failing and all endpoints, of setup, hold and pulse width each."""

_RESOURCES: Final = {
    "CLB LUTs": "LUT",
    "LUT as Memory": "LUT as memory",
    "CLB Registers": "FF",
    "Block RAM Tile": "BRAM",
    "URAM": "URAM",
    "DSPs": "DSP",
}
"""Rows of the report and what the manifest calls them; Vivado marks some with a * that points to a footnote."""

_OPTIONAL: Final = frozenset({"LUT as Memory"})


def read_report(path: Path) -> str:
    """Return the text of a report; FirmwareError where it is missing or of another device."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise FirmwareError(f"Vivado's report {path} cannot be read ({error.strerror or error}); build again") from None
    device = re.search(r"^\| Device\s*:\s*(\S+)", text, re.MULTILINE)
    family = PART.split("-")[0]
    if device is None or not device[1].startswith(family):
        found = "names no device" if device is None else f"is of device {device[1]}"
        raise FirmwareError(f"Vivado's report {path} {found}, the KV260's is {family}; delete it and build again")
    return text


def timing(path: Path) -> Timing:
    """Return the figures of a ``report_timing_summary``, met or not.

    Raises
    ------
    FirmwareError
        The report is missing, cut, of a design that is not routed or not constrained, or contradicts itself.
    """
    text = read_report(path)
    state = re.search(r"^\| Design State\s*:\s*(.+?)\s*$", text, re.MULTILINE)
    if state is not None and state[1] not in _ROUTED:
        raise FirmwareError(f"{path} is of a design that is {state[1].lower()}, not routed; build again")
    if _SUMMARY not in text:
        raise FirmwareError(f"{path} has no timing summary: it was cut, or is another report; build again")
    row = _row(text[text.index(_SUMMARY) :])
    verdicts = [met for met, line in ((True, _MET), (False, _NOT_MET)) if re.search(rf"^{re.escape(line)}\s*$", text, re.MULTILINE)]
    if row is None or len(verdicts) != 1:
        raise FirmwareError(f"{path} has no whole timing summary (its figures, and a line that tells whether they are met); it was cut: build again")
    if len(row) != _COLUMNS or any(value.upper() == "NA" for value in row):
        raise FirmwareError(f"{path} has no slack of setup, hold or pulse width ({' '.join(row)}): the clock's constraint is missing; build again")
    found = Timing(float(row[0]), float(row[4]), int(row[2]) + int(row[6]) + int(row[10]))
    if found.met is not verdicts[0]:
        said = _MET if verdicts[0] else _NOT_MET
        raise FirmwareError(f"{path} contradicts itself: it says {said!r} and {' '.join(row)}; build again")
    return found


def _row(text: str) -> list[str] | None:
    lines = iter(text.splitlines())
    for line in lines:
        if line.split()[:1] == ["WNS(ns)"]:
            if "WPWS(ns)" not in line or not set(next(lines, "")) <= {"-", " "}:
                return None
            values = next(lines, "").split()
            return values if values and all(re.fullmatch(r"-?\d+(\.\d+)?|NA", value, re.IGNORECASE) for value in values) else None
    return None


def utilisation(path: Path) -> dict[str, tuple[int, int]]:
    """Return used and available of each resource of a ``report_utilization``.

    Half a block RAM tile counts as a whole one.

    Raises
    ------
    FirmwareError
        The report is missing, or lacks a resource: it was cut, or is another report.
    """
    text = read_report(path)
    found: dict[str, tuple[int, int]] = {}
    columns: dict[str, int] = {}
    for line in text.splitlines():
        if not (line.startswith("|") and line.rstrip().endswith("|")):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[0] == "Site Type":
            columns = {name: index for index, name in enumerate(cells)}
        name = _RESOURCES.get(cells[0].rstrip("*").strip())
        if name is None or name in found or not {"Used", "Available"} <= set(columns) or len(cells) != len(columns):
            continue
        used, available = cells[columns["Used"]], cells[columns["Available"]]
        if re.fullmatch(r"\d+(\.\d+)?", used) and re.fullmatch(r"\d+", available):
            found[name] = (math.ceil(float(used)), int(available))
    missing = [row for row, name in _RESOURCES.items() if name not in found and row not in _OPTIONAL]
    if missing:
        raise FirmwareError(f"{path} does not tell of {', '.join(missing)}: it was cut, or is another report; build again")
    return found
