"""Levels of logic from register to register, through all blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import count
from typing import Final, final

from hdl.size.netlist import Bit, Cell, Netlist

Net = int

_WIRE: Final = Cell("CARRY", {}, {}, {})
_CLOCKS: Final = ("C", "CLK", "WCLK", "CLKARDCLK", "CLKBWRCLK")


@final
@dataclass(frozen=True)
class LogicPath:
    """The deepest path to a register: where it begins and ends, as ``block/register``, and its levels."""

    levels: int
    start: str
    end: str

    @property
    def block(self) -> str:
        """The block that it ends in."""
        return self.end.partition("/")[0]


@final
@dataclass
class _Pin:
    """A cell in its place, with nets instead of bits."""

    block: str
    netlist: Netlist
    name: str
    cell: Cell
    inputs: Mapping[str, tuple[Net | None, ...]]
    outputs: Mapping[str, tuple[Net | None, ...]]

    @property
    def label(self) -> str:
        return f"{self.block}/{self.netlist.name_of(self.name)}"

    @property
    def driven(self) -> set[Net]:
        """The nets at its outputs."""
        return {net for nets in self.outputs.values() for net in nets if net is not None}


def deepest(netlists: Mapping[str, Netlist], modules: Mapping[str, str], top: str) -> list[LogicPath]:
    """Return the deepest path to each register, memory and DSP slice of a design, deepest first.

    A LUT with the multiplexers behind it is one level, and so is a carry chain of any length. What has several instances is followed in one of
    them: they are the same.

    Parameters
    ----------
    netlists : of the blocks, by name
    modules : name of the block of each module
    top : name of the block at the top

    Raises
    ------
    graphlib.CycleError
        There is a loop of logic.
    """
    pins = {f"{pin.block}/{pin.name}": pin for pin in _Design(netlists, modules).pins(top)}
    logic = {name: pin for name, pin in pins.items() if pin.cell.is_logic}
    drivers = {net: name for name, pin in logic.items() for net in pin.driven}
    order = {name: {drivers[net] for nets in pin.inputs.values() for net in nets if net in drivers} for name, pin in logic.items()}
    arrivals: dict[Net, tuple[int, str]] = {net: (0, pin.label) for name, pin in pins.items() if name not in logic for net in pin.driven}
    for name in TopologicalSorter(order).static_order():
        pin = pins[name]
        best = max(((_levels(pin.cell.kind, port) + at[0], at[1]) for port, at in _arrivals(pin, arrivals)), default=(0, "(constant)"))
        arrivals.update((net, best) for net in pin.driven)
    ends: dict[str, LogicPath] = {}
    for name, pin in pins.items():
        for port, (levels, start) in _arrivals(pin, arrivals) if name not in logic else ():
            if port not in _CLOCKS and (pin.label not in ends or levels > ends[pin.label].levels):
                ends[pin.label] = LogicPath(levels, start, pin.label)
    return sorted(ends.values(), key=lambda path: (-path.levels, path.end))


def _arrivals(pin: _Pin, arrivals: Mapping[Net, tuple[int, str]]) -> Iterator[tuple[str, tuple[int, str]]]:
    for port, nets in pin.inputs.items():
        for net in nets:
            if net is not None:
                yield port, arrivals.get(net, (0, "(port)"))


def _levels(kind: str, port: str) -> int:
    """Return the levels from an input of a cell of logic to its outputs."""
    # A chain counts where it is entered; a multiplexer behind LUTs is in their slice.
    return int(not (port == "CI" and kind.startswith("CARRY")) and not (kind.startswith("MUXF") and port != "S"))


@final
class _Design:
    """Blocks put into their places."""

    def __init__(self, netlists: Mapping[str, Netlist], modules: Mapping[str, str]) -> None:
        self._netlists, self._modules = netlists, modules
        self._numbers = count()
        self._placed: set[str] = set()

    def pins(self, block: str, nets: dict[Bit, Net] | None = None) -> Iterator[_Pin]:
        """Yield the cells of a block and of those within; ``nets`` are those that its ports are connected to."""
        self._placed.add(block)
        netlist, known = self._netlists[block], dict(nets or {})

        def placed(ports: Mapping[str, tuple[Bit, ...]]) -> dict[str, tuple[Net | None, ...]]:
            return {port: tuple(self._net(known, bit) for bit in bits) for port, bits in ports.items()}

        for name, cell in netlist.cells.items():
            within = self._modules.get(cell.kind)
            if within is None:
                yield _Pin(block, netlist, name, cell, placed(cell.inputs), placed(cell.outputs))
            elif within not in self._placed:
                yield from self._within(within, placed({**cell.inputs, **cell.outputs}))

    def _net(self, known: dict[Bit, Net], bit: Bit) -> Net | None:
        """Return the net of a bit, none of a constant."""
        return known.setdefault(bit, next(self._numbers)) if isinstance(bit, int) else None

    def _within(self, block: str, ports: Mapping[str, tuple[Net | None, ...]]) -> Iterator[_Pin]:
        netlist = self._netlists[block]
        nets: dict[Bit, Net] = {}
        for port, outer in ports.items():
            for bit, net in zip(netlist.ports[port][1], outer, strict=True):
                if net is None or not isinstance(bit, int):
                    continue
                # A port may be connected straight to another one.
                if nets.setdefault(bit, net) != net:
                    yield _Pin(block, netlist, f"{port} {net}", _WIRE, {"CI": (nets[bit],)}, {"O": (net,)})
        yield from self.pins(block, nets)
