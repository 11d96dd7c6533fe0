"""The Verilog of one unit, cut out of a file that holds the modules of all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

from ebmhw.contract.sources import Port
from ebmhw.errors import FirmwareError

TOP_SUFFIX: Final = "_ip"
"""Of the module around a unit that Vivado packages."""

_NAME = r"(?:\\\S+|[A-Za-z_][A-Za-z0-9_$]*)"
_MODULE = re.compile(rf"(?:^\(\*[^\n]*\*\)[ \t]*\n)*^[ \t]*module\s+(?P<name>{_NAME}).*?^[ \t]*endmodule\b[^\n]*\n?", re.MULTILINE | re.DOTALL)
_HEADER = re.compile(rf"^[ \t]*module\s+(?P<name>{_NAME})", re.MULTILINE)
# "else if (" and its like look like an instance, which `_KEYWORDS` leaves out.
_NOTHING = re.compile(r"(?:\s|//[^\n]*(?:\n|\Z)|`[^\n]*(?:\n|\Z))*")
_INSTANCE = re.compile(rf"^[ \t]*(?P<module>{_NAME})[ \t]+(?:#[ \t]*\([^;]*?\)\s*)?{_NAME}[ \t]*\(", re.MULTILINE)
_KEYWORDS = frozenset({"task", "function", "if", "else", "for", "while", "repeat", "case", "casex", "casez", "begin", "end", "assign", "always"})


@final
@dataclass(frozen=True)
class Library:
    """The modules of a text, by name and in its order; the texts are its bytes, attributes before a module included."""

    modules: Mapping[str, str]

    @classmethod
    def of(cls, text: str, where: str = "the Verilog") -> Library:
        """Return the modules of a text.

        Raises
        ------
        FirmwareError
            There is none, one is defined twice, or one does not end.
        """
        modules: dict[str, str] = {}
        tail = text
        for match in _MODULE.finditer(text):
            name = _plain(match["name"])
            if name in modules:
                raise FirmwareError(f"{where} defines module {name} twice; generate it again (make verilog)")
            modules[name] = match[0]
            tail = text[match.end() :]
        headers = len(_HEADER.findall(text))
        if not modules or headers != len(modules) or not _NOTHING.fullmatch(tail):
            raise FirmwareError(f"{where} has {headers} modules, of which {len(modules)} end: it was cut; generate it again (make verilog)")
        return cls(modules)

    def below(self, top: str, known: Iterable[str] = ()) -> Library:
        """Return a module and those that it instantiates, and so on.

        Raises
        ------
        FirmwareError
            It is not there, or one instantiates a module that is neither there nor in ``known``.
        """
        if top not in self.modules:
            raise FirmwareError(f"the Verilog has no module {top}; it has {', '.join(list(self.modules)[:8])} ...; generate it again (make verilog)")
        elsewhere = frozenset(known)
        needed, waiting = {top}, [top]
        while waiting:
            module = waiting.pop()
            for name in _instantiated(self.modules[module]) - elsewhere:
                if name not in self.modules:
                    raise FirmwareError(f"module {module} instantiates {name}, which is in none of the files; generate them again (make verilog)")
                if name not in needed:
                    needed.add(name)
                    waiting.append(name)
        return Library({name: body for name, body in self.modules.items() if name in needed})

    def text(self) -> str:
        """Return the modules one after the other."""
        return "\n".join(self.modules.values())


def check_disjoint(parts: Mapping[str, Iterable[str]]) -> None:
    """Refuse modules that are in several parts.

    Two IPs that define one module differently are told apart by no tool: which one is used depends on the order of the files.

    Parameters
    ----------
    parts : names of the modules, by what holds them

    Raises
    ------
    FirmwareError
        A module is in two.
    """
    owners: dict[str, str] = {}
    for part, modules in parts.items():
        for module in modules:
            if module in owners:
                raise FirmwareError(
                    f"module {module} would be defined both in {owners[module]} and in {part}; name the modules of one of them otherwise"
                )
            owners[module] = part


def wrapper(unit: str, ports: Sequence[Port]) -> str:
    """Return a module ``<unit>_ip`` with the ports of a unit, which does nothing but instantiate it.

    The IP packager wants a top in Verilog (UG1118, "Top-Level HDL Requirements"); the units are SystemVerilog.
    """
    declared = ",\n".join(f"    {port.direction:6} wire {_range(port.bits)}{port.name}" for port in ports)
    connected = ",\n".join(f"        .{port.name}({port.name})" for port in ports)
    return f"module {unit}{TOP_SUFFIX} (\n{declared}\n);\n\n    {unit} unit (\n{connected}\n    );\n\nendmodule\n"


def _range(bits: int) -> str:
    return f"[{bits - 1}:0] " if bits > 1 else ""


def _instantiated(body: str) -> set[str]:
    # What stands before the header is none.
    _, _, inside = _HEADER.split(body, 1)
    return {_plain(match["module"]) for match in _INSTANCE.finditer(inside)} - _KEYWORDS


def _plain(name: str) -> str:
    return name.removeprefix("\\")
