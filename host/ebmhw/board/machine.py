"""What this machine is: board, system, PYNQ, XRT, sensors; found by looking at files alone."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final, final

from ebmhw.board.block_design import APP, GIC_SPI
from ebmhw.board.sensors import Sensor, sensors
from ebmhw.board.system import find_compatible, manager_state, read_small, read_text, system_name, tree_strings
from ebmhw.board.xmutil import Xmutil
from ebmhw.errors import BoardError

PYNQ_ENVIRONMENT: Final = "/usr/local/share/pynq-venv"
"""Where Kria-PYNQ puts its Python."""

_CARRIER, _MODULE = "xlnx,zynqmp-sk-kv260", ("xlnx,zynqmp-smk-k26", "xlnx,zynqmp-sm-k26")
_MODULE_MODEL = re.compile(r"\bSMK?-K26\b")

_CLOCKS: Final = (
    f"sys/bus/platform/devices/*{APP}-clock/set_rate",
    "sys/bus/platform/devices/*fclk0/set_rate",
    "sys/kernel/debug/clk/pl0_ref/clk_rate",
)
"""Where a kernel says the rate of pl_clk0, in Hz: AMD's driver of PL clocks, at our overlay's node and at that of others, and, for root, debugfs."""

_XRT_LIBRARIES: Final = ("usr/lib/libxrt_core.so*", "usr/lib/aarch64-linux-gnu/libxrt_core.so*", "opt/xilinx/xrt/lib/libxrt_core.so*")


@final
@dataclass(frozen=True)
class Machine:
    """A machine.

    Attributes
    ----------
    model, compatible : as its device tree says; None and () where it has none
    board : "kv260", "k26" (the module, on a carrier card that is not told), "other board", or "none"
    samples : whether the carrier card is an engineering sample
    system, kernel, processor : names
    python, packages : versions; packages that are not installed are None
    environment : folder of this Python
    pynq_environment : Kria-PYNQ's Python, None where it is not installed
    xrt : version of XRT, "" where it is there without telling, None where it is not
    zocl : whether XRT's driver is loaded
    xmutil : path of the loader, None where there is none
    root : whether this process may load and map the programmable logic
    manager : state of the FPGA manager, None where there is none
    clock_hz : rate of pl_clk0 as the kernel says, None where it says none
    interrupt : device of the programmable logic's interrupt ("/dev/uio4"), "" where the device tree has it and no device was made, None without
    interrupt_node : name of the device tree's node that the device is of; where there is no device, those of all nodes that have the interrupt
    sensors : temperatures and supply
    """

    model: str | None
    compatible: tuple[str, ...]
    board: str
    samples: bool
    system: str
    kernel: str
    processor: str
    python: str
    packages: dict[str, str | None]
    environment: str
    pynq_environment: str | None
    xrt: str | None
    zocl: bool
    xmutil: str | None
    root: bool
    manager: str | None
    clock_hz: int | None
    interrupt: str | None
    interrupt_node: str
    sensors: tuple[Sensor, ...]

    @property
    def is_kv260(self) -> bool:
        """Whether our design may be loaded here: a KV260, or its module where the carrier card is not told."""
        return self.board in ("kv260", "k26")

    @property
    def interrupt_holder(self) -> str:
        """Whose the interrupt's node is, in words; "" where there is none."""
        names = {f"{APP}-interrupt": "ours", "fabric": "Kria-PYNQ's overlay"}
        return ", ".join(f"{name}: {names.get(name.partition('@')[0], 'another overlay')}" for name in filter(None, self.interrupt_node.split(", ")))

    @property
    def described(self) -> str:
        """What the board is, in words."""
        said = f" ({self.model})" if self.model else ""
        return {
            "kv260": f"a KV260{' with an early sample of the carrier card' if self.samples else ''}{said}",
            "k26": f"a K26 module on a carrier card that the device tree does not name{said}",
            "other board": f"another board{said}",
        }.get(self.board, f"a machine without a device tree ({self.processor})")


def machine(root: Path = Path("/"), search_path: str | None = None) -> Machine:
    """Return what the machine below a root is; versions of Python's packages and of the kernel are always this process's.

    Parameters
    ----------
    root : of the file system
    search_path : where xmutil is looked for; None takes the environment's
    """
    compatible = tuple(tree_strings(root, "compatible"))
    model = " ".join(tree_strings(root, "model")) or None
    found, about = Xmutil.find(search_path), platform.uname()
    environment = root / PYNQ_ENVIRONMENT.lstrip("/")
    interrupt, interrupt_node = _interrupt(root)
    return Machine(
        model=model,
        compatible=compatible,
        board=board_kind(compatible, model),
        samples=any(name.startswith(_CARRIER) for name in compatible) and not any(re.search(r"-rev(B|\d+)$", name) for name in compatible),
        system=system_name(root) or platform.system(),
        kernel=about.release,
        processor=about.machine,
        python=platform.python_version(),
        packages={name: _version(name) for name in ("ebmhw", "numpy", "pynq")},
        environment=sys.prefix,
        pynq_environment=f"/{environment.relative_to(root).as_posix()}" if environment.is_dir() else None,
        xrt=_xrt(root),
        zocl=(root / "sys/module/zocl").is_dir(),
        xmutil=None if found is None else found.program,
        root=os.geteuid() == 0 if hasattr(os, "geteuid") else False,
        manager=manager_state(root),
        clock_hz=_clock(root),
        interrupt=interrupt,
        interrupt_node=interrupt_node,
        sensors=sensors(root),
    )


def board_kind(compatible: Sequence[str], model: str | None) -> str:
    """Return which board a device tree is of, as `Machine.board` says it, by what its root says."""
    if any(name.startswith(_CARRIER) for name in compatible) or "KV260" in (model or ""):
        return "kv260"
    # Another carrier card names itself too (xlnx,zynqmp-sk-kr260), and only it is known to be no KV260.
    others = any(name.startswith("xlnx,zynqmp-sk-k") for name in compatible)
    if (any(name.startswith(_MODULE) for name in compatible) or _MODULE_MODEL.search(model or "")) and not others:
        return "k26"
    return "other board" if compatible or model else "none"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _xrt(root: Path) -> str | None:
    found = re.search(r'"BUILD_VERSION"\s*:\s*"([\w.+-]+)"', read_text(root / "opt/xilinx/xrt/version.json") or "")
    if found:
        return found.group(1)
    paths = sorted(path.name for pattern in _XRT_LIBRARIES for path in root.glob(pattern))
    if not paths:
        return None
    return max((name.partition(".so.")[2] for name in paths), key=len)


def _clock(root: Path) -> int | None:
    for path in (path for pattern in _CLOCKS for path in sorted(root.glob(pattern))):
        text = (read_text(path) or "").strip()
        if text.isdecimal():
            return int(text)
    return None


def _interrupt(root: Path) -> tuple[str | None, str]:
    """Return the device of the interrupt that our interrupt controller ends in, and whose it is.

    Kria-PYNQ's overlay has a node of it, fabric, and ours another; the kernel gives an interrupt to the first of them alone.
    """
    try:
        nodes = [node.name for node in find_compatible(root, "generic-uio") if _raises(node, GIC_SPI)]
    except BoardError:
        return None, ""
    for device, name in _uio(root):
        for node in nodes:
            if name in (node, node.partition("@")[0]):
                return f"/dev/{device}", node
    return ("", ", ".join(nodes)) if nodes else (None, "")


def _raises(node: Path, spi: int) -> bool:
    cells = read_small(node / "interrupts") or b""
    # Kind (0 for shared), number, flags.
    return len(cells) == 12 and cells[:4] == bytes(4) and int.from_bytes(cells[4:8], "big") == spi


def _uio(root: Path) -> Iterator[tuple[str, str]]:
    """Yield (device, name) of all devices of user-space drivers."""
    for folder in sorted((root / "sys/class/uio").glob("uio*")):
        yield folder.name, (read_text(folder / "name") or "").strip()


def as_data(found: Machine) -> dict[str, Any]:
    """Return a machine as JSON can hold it."""
    data = {name: getattr(found, name) for name in found.__dataclass_fields__}
    return data | {"compatible": list(found.compatible), "sensors": [one.as_data() for one in found.sensors], "described": found.described}
