"""Designs that benches of units are built on: several units side by side, units of a core joined as the core joins them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.common.xoshiro import Xoshiro128pp
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.randoms import RandomLoader, RandomReader
from hdl.ising_core.tree import FieldTree


@final
class Together(wiring.Component):
    """Several components, the ports of each under its own name (``four_valid``), so that one simulation serves them all.

    Parameters
    ----------
    parts : a component for each name
    """

    def __init__(self, parts: Mapping[str, wiring.Component]) -> None:
        self._parts = dict(parts)
        super().__init__({name: Out(part.signature) for name, part in self._parts.items()})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name, part in self._parts.items():
            m.submodules[name] = part
            wiring.connect(m, wiring.flipped(getattr(self, name)), part)
        return m


@final
class FedTree(wiring.Component):
    """A field tree that is given what lanes share as the core gives it; the other ports are its own.

    Parameters
    ----------
    tree : the tree
    tail_mask, pair_sums : the functions of `hdl.ising_core.tree`
    """

    def __init__(self, tree: FieldTree, tail_mask: Callable[..., list[Any]], pair_sums: Callable[..., list[Any]]) -> None:
        self._tree, self._tail_mask, self._pair_sums = tree, tail_mask, pair_sums
        super().__init__({name: member for name, member in tree.signature.members.items() if name not in ("tail", "pairs")})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.tree = tree = self._tree
        for name, member in self.signature.members.items():
            inside, outside = getattr(tree, name), getattr(self, name)
            m.d.comb += inside.eq(outside) if member.flow is In else outside.eq(inside)
        m.d.comb += tree.tail.eq(Cat(*self._tail_mask(list(self.chain))))
        m.d.comb += [tree.pairs[at].eq(pair) for at, pair in enumerate(self._pair_sums(list(self.couplings)))]
        return m


@final
class RandomChain(wiring.Component):
    """The random streams of all lanes, filled at the last lane and read at the first, as in a core.

    Parameters
    ----------
    loader, reader : what fills the chain and what reads it
    config : lanes

    Attributes
    ----------
    states, pairs, start : of the loader and the reader
    advance : draws a number in every lane
    draws : of each lane
    """

    def __init__(self, loader: RandomLoader, reader: RandomReader, config: IsingConfig) -> None:
        self._loader, self._reader, self._lanes = loader, reader, config.lanes
        members = {"states": loader.signature.members["states"], "pairs": reader.signature.members["pairs"], "start": In(1), "advance": In(1)}
        super().__init__(members | {f"draw{lane}": Out(32) for lane in range(config.lanes)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.loader, m.submodules.reader = loader, reader = self._loader, self._reader
        wiring.connect(m, wiring.flipped(self.states), loader.states)
        wiring.connect(m, wiring.flipped(self.pairs), reader.pairs)
        m.d.comb += reader.start.eq(self.start)
        word = loader.word
        for lane in reversed(range(self._lanes)):
            m.submodules[f"lane{lane}"] = random = Xoshiro128pp()
            m.d.comb += [
                random.advance.eq(self.advance),
                random.shift.eq(loader.shift | reader.shift),
                random.shift_in.eq(word),
                getattr(self, f"draw{lane}").eq(random.draw),
            ]
            word = random.shift_out
        m.d.comb += reader.word.eq(word)
        return m
