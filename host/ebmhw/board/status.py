"""Whether the board can be used: what it is, what is installed and loaded, and what to do next. No register is touched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from ebmhw.board.block_design import APP
from ebmhw.board.command import Outcome
from ebmhw.board.installed import Installed, installed_firmware
from ebmhw.board.loaded import LoadedDesign, loaded_design
from ebmhw.board.machine import Machine, as_data, machine
from ebmhw.board.xmutil import App, Xmutil, apps_of
from ebmhw.errors import BoardError

LOAD: Final = "sudo ebmhw board load"
"""The remedy for most; the command's whole path is told where it is run."""

_CLOCK_TOLERANCE: Final = 0.02
"""PLL and divider do not make every rate: 199,998,000 Hz where 200 MHz were asked for."""


@final
@dataclass(frozen=True)
class Status:
    """The state of a board.

    Attributes
    ----------
    machine, installed : what it is, and what of our firmware is installed
    loaded, trouble : our design in the programmable logic, None where it is not there; what the device tree says that cannot be, "" for nothing
    listed : what listing the loader's firmware did, None where there is no loader or it was not asked
    apps : the loader's firmware, () where it did not say
    problems : what keeps the board from being used, a sentence each, the first to be seen to first
    notes : what should be known and keeps it from nothing
    next : what to do, "" where the board can be used
    """

    machine: Machine
    installed: Installed
    loaded: LoadedDesign | None
    trouble: str
    listed: Outcome | None
    apps: tuple[App, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    next: str

    @property
    def usable(self) -> bool:
        """Whether `get_backend("kv260")` has a design that it can drive."""
        return not self.problems

    @property
    def active(self) -> list[str]:
        """Names of the firmware that the loader says is loaded."""
        return [app.name for app in self.apps if app.active]

    def as_data(self) -> dict[str, Any]:
        """Return the status as JSON can hold it."""
        entry, loaded = self.installed.entry, self.loaded
        return {
            "usable": self.usable,
            "problems": list(self.problems),
            "notes": list(self.notes),
            "next": self.next,
            "machine": as_data(self.machine),
            "installed": {
                "app": self.installed.app,
                "folder": str(self.installed.folder),
                "share": str(self.installed.share),
                "there": self.installed.there,
                "build": None if entry is None else f"{entry.build:#010x}",
                "clock_mhz": None if entry is None else entry.clock_mhz,
                "phi": None if entry is None else entry.phi,
                "tool": None if entry is None else entry.tool,
                "damage": list(self.installed.damage),
                "differences": [] if entry is None else entry.differences(),
            },
            "loaded": None
            if loaded is None
            else {
                "build": f"{loaded.build:#010x}",
                "manager": loaded.manager,
                "differences": loaded.differences(),
                "units": {
                    name: {
                        "address": f"{unit.address:#x}",
                        "map_hash": f"{unit.map_hash:#010x}",
                        "packet_hash": f"{unit.packet_hash:#010x}",
                        "contract_digest": unit.contract_digest,
                    }
                    for name, unit in loaded.units.items()
                },
            },
            "apps": [{"name": app.name, "active": app.active} for app in self.apps],
            "listing": None if self.listed is None else self.listed.told(),
        }

    def rows(self) -> list[tuple[str, str]]:
        """Return the status as rows of (what, value) for a table."""
        about, entry = self.machine, self.installed.entry
        packages = ", ".join(f"{name} {version or 'not installed'}" for name, version in about.packages.items())
        rows = [
            ("machine", about.described),
            ("system", f"{about.system}, kernel {about.kernel}, {about.processor}"),
            ("python", f"{about.python} in {about.environment}; {packages}"),
        ]
        if about.is_kv260:
            runtime = {None: "no XRT", "": "XRT"}.get(about.xrt, f"XRT {about.xrt}")
            rows += [
                ("runtime", f"{runtime}, zocl {'loaded' if about.zocl else 'not loaded'}, {about.xmutil or 'no xmutil'}"),
                ("rights", "root" if about.root else "not root: enough to look, not to load or to run"),
                ("sensors", ", ".join(map(str, about.sensors[:6])) or "none that can be read"),
            ]
        if about.is_kv260 or self.installed.there:
            said = "not installed"
            if entry is not None:
                said = f"build {entry.build:#010x}, {entry.clock_mhz} MHz, phi unit from {entry.phi.upper()}, {entry.tool}"
            elif self.installed.there:
                said = f"{self.installed.folder}, and nothing that says what it is"
            rows.append(("installed", said + ("; damaged" if self.installed.damage else "")))
        if about.is_kv260:
            listed = ", ".join(f"{app.name}{' (loaded)' if app.active else ''}" for app in self.apps)
            rows += [
                ("loader", listed or ("did not say" if self.listed is not None else "not asked")),
                ("loaded", "nothing of ebmhw" if self.loaded is None else f"ebmhw, build {self.loaded.build:#010x}"),
                ("FPGA manager", about.manager or "says nothing"),
                ("clock", "not told by the kernel" if about.clock_hz is None else f"{about.clock_hz / 1e6:.6g} MHz"),
                ("interrupt", _interrupt(about)),
            ]
        return rows


def board_status(root: Path = Path("/"), app: str = APP, search_path: str | None = None, xmutil: Xmutil | None = None) -> Status:
    """Return the state of the board below a root.

    Parameters
    ----------
    root : of the file system
    app : name of the firmware
    search_path : where xmutil is looked for; None takes the environment's
    xmutil : the loader itself, for other limits
    """
    about = machine(root, search_path)
    installed = installed_firmware(root, app)
    found, trouble = _loaded(root)
    tool = xmutil or Xmutil.find(search_path)
    listed = tool.listed() if tool is not None and about.is_kv260 else None
    apps = tuple(apps_of(listed.output) or ()) if listed is not None else ()
    problems, then = _problems(about, installed, found, trouble, [one.name for one in apps if one.active])
    return Status(about, installed, found, trouble, listed, apps, tuple(problems), tuple(_notes(about, installed, found, listed, apps)), then)


def _interrupt(about: Machine) -> str:
    said = {None: "not in the device tree", "": "in the device tree, no device"}.get(about.interrupt, str(about.interrupt))
    return said + (f" ({about.interrupt_holder})" if about.interrupt_holder else "")


def _loaded(root: Path) -> tuple[LoadedDesign | None, str]:
    try:
        return loaded_design(root), ""
    except BoardError as error:
        return None, str(error)


def _problems(about: Machine, installed: Installed, found: LoadedDesign | None, trouble: str, active: list[str]) -> tuple[list[str], str]:
    """Return what keeps the board from being used, and the one thing to do next."""
    if not about.is_kv260:
        return [f"this is no KV260 but {about.described}"], (
            "run this on a KV260. Here, get_backend('cpu') samples and measures with the same bits, and `ebmhw board selftest --backend simulated` "
            "runs the hardware's own logic; `ebmhw backends` lists what works"
        )
    told: list[tuple[str, str]] = []
    if found is None:
        if trouble:
            told.append((trouble, f"{LOAD} --replace"))
        else:
            other = f"; loaded is {', '.join(active)}" if active else ""
            told.append((f"ebmhw is not loaded{other}", f"{LOAD}{' --replace' if active and active != [installed.app] else ''}"))
        if not installed.there:
            told.append((f"the firmware is not installed: there is no {installed.folder}", "on your workstation: make firmware, then make deploy"))
    else:
        if not found.operating:
            told.append((f"the FPGA manager says {found.manager or 'nothing'!r}, not 'operating'", f"{LOAD} --replace"))
        for difference in found.differences():
            told.append((difference, _remedy(installed)))
    for damage in installed.damage:
        told.append((damage, "on your workstation: make deploy, which installs the firmware again"))
    if installed.entry is not None and found is None:
        for difference in installed.entry.differences():
            told.append((difference, "build the bitstream with this version and deploy it, or install the ebmhw that the bitstream came with"))
    if about.packages.get("pynq") is None:
        there = f": run ebmhw with {about.pynq_environment}/bin/python" if about.pynq_environment else ", by Kria-PYNQ's install.sh -b KV260"
        told.append(("pynq is not installed for this Python, and the driver needs it", f"use PYNQ's own environment{there}"))
    if not told:
        return [], ""
    # Files first: nothing can be loaded before they are there and whole.
    first = next((remedy for _, remedy in told if "make deploy" in remedy or "build the bitstream" in remedy), told[0][1])
    return [what for what, _ in told], first


def _remedy(installed: Installed) -> str:
    if installed.entry is not None and not installed.entry.differences() and not installed.damage:
        return f"{LOAD} --replace: what is installed fits this version"
    return "build the bitstream with this version and deploy it, or install the ebmhw that the bitstream came with"


def _notes(about: Machine, installed: Installed, found: LoadedDesign | None, listed: Outcome | None, apps: tuple[App, ...]) -> list[str]:
    if not about.is_kv260:
        return []
    notes, entry = [], installed.entry
    if about.board == "k26":
        notes.append("the device tree does not name the carrier card; on another than the KV260's nothing here was ever tried")
    if about.samples:
        notes.append("the carrier card is an early sample (revision A, Y or Z), which nothing here was tried on")
    if not about.root:
        notes.append("not root: loading and running need sudo, with this Python's whole path")
    if about.xmutil is None:
        notes.append("there is no xmutil: install xlnx-firmware's dfx-mgr and xmutil, or download the bitstream by PYNQ (get_backend('kv260', ...))")
    if listed is not None and (listed.status != 0 or not apps):
        notes.append(f"the loader did not list its firmware: {listed.told()}")
    if found is not None and entry is not None and entry.build != found.build:
        notes.append(f"loaded is build {found.build:#010x}, installed {entry.build:#010x}; `{LOAD} --replace` loads what is installed")
    if found is not None and about.interrupt is None:
        notes.append("the device tree has no interrupt of the programmable logic: the driver polls instead, which takes a core")
    if found is not None and about.interrupt == "":
        notes.append("the interrupt has no device in /dev: load the driver (sudo modprobe uio_pdrv_genirq of_id=generic-uio)")
    if found is not None and entry is not None and about.clock_hz is not None:
        due = entry.clock_mhz * 1e6
        if about.clock_hz > due * (1 + _CLOCK_TOLERANCE):
            notes.append(f"pl_clk0 runs at {about.clock_hz / 1e6:.6g} MHz, faster than the {entry.clock_mhz} MHz that the bitstream was built for")
        elif about.clock_hz < due * (1 - _CLOCK_TOLERANCE):
            notes.append(f"pl_clk0 runs at {about.clock_hz / 1e6:.6g} MHz, slower than the {entry.clock_mhz} MHz that the bitstream was built for")
    return notes
