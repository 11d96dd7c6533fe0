"""A design's RTLIL, cut into blocks that are synthesised on their own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, final

_MODULE: Final = re.compile(r"^(?:attribute [^\n]*\n)*module (\S+)\n(.*?)^end$", re.MULTILINE | re.DOTALL)
_CELL: Final = re.compile(r"^  cell (\S+) (\S+)$", re.MULTILINE)
_PORT: Final = re.compile(r"^  wire [^\n]*\b(?:input|output) \d+ [^\n]*$", re.MULTILINE)
_PRODUCT: Final = re.compile(r"^  cell \$mul (\S+)$.*?^    connect \\Y (\S+)", re.MULTILINE | re.DOTALL)
_MOVE: Final = re.compile(r"^ +assign (\S+) (?:\[[^]]*\] )?(\S+)", re.MULTILINE)
_FLIP_FLOP: Final = re.compile(r"^  cell \$(?:s?dffe?|sdffce) .*?^    connect \\D (\S+).*?^    connect \\Q (\S+)", re.MULTILINE | re.DOTALL)
_MEMORY: Final = re.compile(r"^  memory width (\d+) size (\d+) (\S+)$", re.MULTILINE)
_NUMBER: Final = re.compile(r"\$\d+\b")


def plain(name: str) -> str:
    """Return a name without the numbers that Amaranth tells equal names apart by, which change whenever a signal is added anywhere."""
    return _NUMBER.sub("", name).replace("\\", "")


@final
@dataclass(frozen=True)
class Module:
    """A module of RTLIL: its name, its text, and the modules that it has instances of, by instance."""

    name: str
    text: str
    instances: dict[str, str]

    @cached_property
    def is_wrapper(self) -> bool:
        """Whether it holds nothing but instances of modules."""
        return not re.search(r"^  (?:cell \$|process |memory |switch )", self.text, re.MULTILINE) and bool(self.instances)

    @cached_property
    def registers(self) -> set[str]:
        """The names of its registers."""
        return {match[2][1:] for match in _FLIP_FLOP.finditer(self.text) if match[2].startswith("\\")}

    @cached_property
    def products(self) -> dict[str, str]:
        """The register that each product goes to first, by the multiplication's cell; the cell itself if there is none."""
        moves: dict[str, set[str]] = {}
        for target, source in [(match[1], match[2]) for match in _MOVE.finditer(self.text)]:
            moves.setdefault(source, set()).add(target)
        for source, target in [(match[1], match[2]) for match in _FLIP_FLOP.finditer(self.text)]:
            moves.setdefault(source, set()).add(target)
        found = {}
        for cell, product in [(match[1], match[2]) for match in _PRODUCT.finditer(self.text)]:
            wires, first = [product], cell
            for wire in wires:
                if wire[1:] in self.registers:
                    first = wire[1:]
                    break
                wires += sorted(moves.get(wire, set()) - set(wires))
            found[cell] = first
        return found

    @cached_property
    def stub(self) -> str:
        """The module as a black box."""
        ports = "\n".join(match[0] for match in _PORT.finditer(self.text))
        return f"attribute \\blackbox 1\nmodule {self.name}\n{ports}\nend\n"


@final
@dataclass(frozen=True)
class Block:
    """A part of a design that is synthesised on its own, all in it flattened; blocks within it are black boxes.

    Attributes
    ----------
    name : how the tables call it
    module : name of its module in ``text``
    count : how often the design has it
    text : RTLIL that Yosys reads
    registers : names of its registers, ``part.part.name``
    memories : width and depth of its memories, by such names without numbers
    products : such a name for each multiplication, by the name of its cell
    numbers : those in the design's names, by those in the names of ``text``
    """

    name: str
    module: str
    count: int
    text: str
    registers: frozenset[str]
    memories: dict[str, tuple[int, int]]
    products: dict[str, str]
    numbers: dict[str, str]

    def original(self, name: str) -> str:
        """Return the name that a port in ``text`` has in the design."""
        return _NUMBER.sub(lambda match: self.numbers.get(match[0], match[0]), name)


def blocks(text: str, top: str, split: Collection[str] = ("",)) -> list[Block]:
    """Return the blocks of a design.

    Blocks are the top, each module directly within one at a path of ``split``, and each that is instantiated in several places. What only wraps
    instances of others belongs to what is around it.

    Parameters
    ----------
    text : RTLIL of all modules
    top : name of the top module
    split : paths from the top, ``""`` and ``"part.part"``

    Raises
    ------
    ValueError
        There is no such module or path.
    """
    modules = {module.name: module for module in _modules(text)}
    root = f"\\{top}"
    if root not in modules:
        raise ValueError(f"the RTLIL has no module {top}; it has {', '.join(sorted(name[1:] for name in modules))}")
    places = {plain(path): name for path, name in _walk(modules, root)}
    if missing := [path for path in split if path not in places]:
        raise ValueError(f"{top} has nothing at {', '.join(missing)}; name the path of a submodule, or leave it out of the list of what to split")
    counts = Counter(name for _, name in _walk(modules, root))
    mentions = Counter(child for name in counts for child in modules[name].instances.values())
    within = {modules[places[path]].instances[instance] for path in split for instance in modules[places[path]].instances}
    chosen = {name for name in within if name in modules and not modules[name].is_wrapper}
    chosen |= {name for name in counts if mentions[name] > 1 and not modules[name].is_wrapper} | {root}
    names = {name: _short(name, top) for name in modules if name in chosen}
    if len(set(names.values())) < len(names):
        names = {name: plain(name[1:]) for name in names}
    return [_block(modules, chosen, names[name], name, counts[name]) for name in names if counts[name]]


def _modules(text: str) -> Iterator[Module]:
    for match in _MODULE.finditer(text):
        cells = {cell[2][1:]: cell[1] for cell in _CELL.finditer(match[2]) if cell[1].startswith("\\")}
        yield Module(match[1], match[0] + "\n", cells)


def _walk(modules: dict[str, Module], name: str, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and the module of each instance, the root first."""
    yield path, name
    for instance, child in modules[name].instances.items():
        if child in modules:
            yield from _walk(modules, child, f"{path}.{instance}" if path else instance)


def _short(module: str, top: str) -> str:
    """Return the last part of a module's name, after the shared module that it is a part of, if any; the top is called so."""
    first, *parts = plain(module[1:]).split(".")
    if first == top:
        return parts[-1] if parts else "top"
    return f"{first}.{parts[-1]}" if parts else first


def _block(modules: dict[str, Module], chosen: Collection[str], name: str, module: str, count: int) -> Block:
    inside, stubs = {module: modules[module]}, {}
    registers: set[str] = set()
    memories: dict[str, tuple[int, int]] = {}
    products: dict[str, str] = {}
    places = [("", module)]
    for path, at in places:
        prefix = f"{path}." if path else ""
        registers.update(prefix + register for register in modules[at].registers)
        products.update((prefix + cell, plain(prefix + register)) for cell, register in modules[at].products.items())
        memories.update((plain(prefix + match[3][1:]), (int(match[1]), int(match[2]))) for match in _MEMORY.finditer(modules[at].text))
        for instance, child in modules[at].instances.items():
            if child in chosen:
                stubs[child] = modules[child].stub
            elif child in modules:
                inside[child] = modules[child]
                places.append((prefix + instance, child))
    text = "\n".join([*(part.text for part in inside.values()), *stubs.values()])
    # Numbers by order of appearance, so that a block stays the same where another one changes.
    numbers: dict[str, str] = {}

    def renumbered(name: str) -> str:
        return _NUMBER.sub(lambda match: numbers.setdefault(match[0], f"${len(numbers)}"), name)

    return Block(
        name=name,
        count=count,
        text=renumbered(text),
        module=renumbered(module)[1:],
        registers=frozenset(map(renumbered, registers)),
        memories=memories,
        products={renumbered(cell): register for cell, register in products.items()},
        numbers={new: old for old, new in numbers.items()},
    )
