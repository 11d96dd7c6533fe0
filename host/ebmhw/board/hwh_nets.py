"""Nets: the ports of the modules of a .hwh, and what joins them, told at both ends of each connection as Vivado does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, final
from xml.etree import ElementTree as xml

Pin = tuple[str, str]
"""A cell and its port."""

_AXIS: Final = "xilinx.com:interface:axis:1.0"


@final
@dataclass
class _Port:
    drives: bool
    bits: int
    kind: str = "undef"
    signal: str = ""
    joined: list[Pin] = field(default_factory=list)


@final
@dataclass
class _Bus:
    vlnv: str
    kind: str
    signals: Mapping[str, str]
    name: str = "__NOC__"


@final
class Nets:
    """Ports and buses by cell.

    Parameters
    ----------
    clock_mhz : of all ports that are clocks
    """

    def __init__(self, clock_mhz: int) -> None:
        self._hertz = str(clock_mhz * 1_000_000)
        self._ports: dict[str, dict[str, _Port]] = {}
        self._buses: dict[str, dict[str, _Bus]] = {}

    def port(self, cell: str, name: str, drives: bool, bits: int) -> None:
        """Give a cell a port; ``drives`` where it is an output."""
        self._ports.setdefault(cell, {})[name] = _Port(drives, bits)

    def bus(self, cell: str, name: str, vlnv: str, kind: str, signals: Mapping[str, str]) -> None:
        """Give a cell a bus; ``signals`` are ports of the cell by their names in the bus."""
        self._buses.setdefault(cell, {})[name] = _Bus(vlnv, kind, signals)

    def stream(self, cell: str, bus: str, prefix: str, bits: int, *, drives: bool) -> None:
        """Give a cell a stream of so many bits of data, and its ports."""
        widths = {"tdata": bits, "tkeep": bits // 8, "tlast": 1, "tvalid": 1, "tready": 1}
        for signal, width in widths.items():
            self.port(cell, f"{prefix}_{signal}", drives != (signal == "tready"), width)
        kind = "INITIATOR" if drives else "TARGET"
        self.bus(cell, bus, _AXIS, kind, {signal.upper(): f"{prefix}_{signal}" for signal in widths})

    def join(self, driver: Pin, sinks: Sequence[Pin], kind: str) -> None:
        """Connect an output with inputs; KeyError where there is no such port."""
        cell, name = driver
        ends = [driver, *sinks]
        for pin in ends:
            port = self._ports[pin[0]][pin[1]]
            port.kind, port.signal = kind, f"{cell}_{name}"
            port.joined += [other for other in ends if (other == driver) != (pin == driver)]

    def join_stream(self, source: Pin, target: Pin) -> None:
        """Connect two streams, each a cell and the prefix of its ports."""
        for signal in ("tdata", "tkeep", "tlast", "tvalid", "tready"):
            one, other = ((cell, f"{prefix}_{signal}") for cell, prefix in (source, target))
            driver, sink = (other, one) if signal == "tready" else (one, other)
            self.join(driver, [sink], "undef")
        self._name(source, target)

    def join_bus(self, master: Pin, slave: Pin) -> None:
        """Connect two buses of memory."""
        for cell, bus in (master, slave):
            self._buses[cell][bus].name = "_".join(master)

    def _name(self, source: Pin, target: Pin) -> None:
        for cell, prefix in (source, target):
            for bus in self._buses[cell].values():
                if f"{prefix}_tdata" in bus.signals.values():
                    bus.name = "_".join(source)

    def write(self, modules: xml.Element) -> None:
        """Add ports and buses to their modules."""
        for module in modules:
            cell = module.attrib["INSTANCE"]
            ports, buses = module.find("PORTS"), module.find("BUSINTERFACES")
            if ports is None or buses is None:
                raise KeyError(cell)
            for name, port in self._ports.get(cell, {}).items():
                self._write_port(ports, name, port)
            for name, bus in self._buses.get(cell, {}).items():
                element = xml.SubElement(buses, "BUSINTERFACE", BUSNAME=bus.name, NAME=name, TYPE=bus.kind, VLNV=bus.vlnv)
                inside = xml.SubElement(element, "PORTMAPS") if bus.signals else element
                for logical, physical in bus.signals.items():
                    xml.SubElement(inside, "PORTMAP", LOGICAL=logical, PHYSICAL=physical)

    def _write_port(self, into: xml.Element, name: str, port: _Port) -> None:
        facts = {"DIR": "O" if port.drives else "I", "NAME": name, "SIGIS": port.kind}
        if port.kind == "clk":
            facts["CLKFREQUENCY"] = self._hertz
        if port.kind == "INTERRUPT":
            facts["SENSITIVITY"] = "LEVEL_HIGH"
        if port.bits > 1:
            facts |= {"LEFT": str(port.bits - 1), "RIGHT": "0"}
        if port.signal:
            facts["SIGNAME"] = port.signal
        element = xml.SubElement(into, "PORT", facts)
        if port.joined:
            inside = xml.SubElement(element, "CONNECTIONS")
            for cell, other in port.joined:
                xml.SubElement(inside, "CONNECTION", INSTANCE=cell, PORT=other)
