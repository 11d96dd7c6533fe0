"""The step function: one row of one or many chains, from field to flip, all integers."""

from __future__ import annotations

from typing import Any, NamedTuple

from ebmhw.contract import tables
from ebmhw.contract.formats import DRAW_BITS, ODDS_CUTOFF, ODDS_FRACTION_BITS, ODDS_SHIFT
from ebmhw.golden.arrays import Array, Arrays
from ebmhw.golden.stream import next_draw


class Row(NamedTuple):
    """One row: spin (), bias (), weights (slots,), others (slots, order - 1), all int64.

    Unused places of ``others`` name spin n, which is always +1; unused slots have weight 0.
    """

    spin: Array
    bias: Array
    weights: Array
    others: Array


class Chain(NamedTuple):
    """The state of one chain, or of many along a leading axis.

    spins int8 (..., n + 1), the last always +1; random uint32 (..., 4); the rest int64 (...), best_spins int8 (..., n + 1).
    """

    spins: Array
    random: Array
    energy: Array
    flips: Array
    best_spins: Array
    best_energy: Array
    best_sweep: Array


def weak_outcome(xp: Any, magnitude: Array, beta: Array, draw: Array, rule: str) -> Array:
    """Return whether the less likely outcome happens: |field| int64, temperature word int64, draw uint32 -> bool."""
    y = (magnitude * beta + (1 << (ODDS_SHIFT - 1))) >> ODDS_SHIFT
    v = 2 * draw.astype(xp.int64) + 1
    # Beyond the cutoff the shift below would not be defined; its result is not used there.
    e = xp.minimum(y >> ODDS_FRACTION_BITS, ODDS_CUTOFF - 1)
    f = y & ((1 << ODDS_FRACTION_BITS) - 1)
    hi, lo = xp.asarray(tables.HI, dtype=xp.int64), xp.asarray(tables.LO, dtype=xp.int64)
    half = 1 << (tables.TABLE_FRACTION_BITS - 1)
    m = (hi[f >> tables.TABLE_INDEX_BITS] * lo[f & ((1 << tables.TABLE_INDEX_BITS) - 1)] + half) >> tables.TABLE_FRACTION_BITS
    whole = 1 << (DRAW_BITS + 1)
    right = (whole - v) * m if rule == "gibbs" else whole * m
    return (y < (ODDS_CUTOFF << ODDS_FRACTION_BITS)) & ((v << tables.TABLE_FRACTION_BITS) < (right >> e))


def field_of(xp: Any, row: Row, spins: Array) -> Array:
    """Return the local field of a row, int64 (...)."""
    products = xp.prod(spins[..., row.others].astype(xp.int64), axis=-1)
    return row.bias + xp.sum(row.weights * products, axis=-1)


def step(arrays: Arrays, chain: Chain, row: Row, beta: Array, rule: str) -> Chain:
    """Return the chain after one row at temperature word ``beta`` (int64)."""
    xp = arrays.xp
    draw, random = next_draw(xp, chain.random)
    field = field_of(xp, row, chain.spins)
    spin = chain.spins[..., row.spin].astype(xp.int64)
    weak = weak_outcome(xp, xp.abs(field), beta, draw, rule)
    flip = (spin == 1) != ((field >= 0) ^ weak) if rule == "gibbs" else (spin * field <= 0) | weak
    return chain._replace(
        spins=arrays.put(chain.spins, row.spin, xp.where(flip, -spin, spin).astype(xp.int8)),
        random=random,
        energy=chain.energy + xp.where(flip, 2 * spin * field, 0),
        flips=chain.flips + flip,
    )


def end_of_sweep(xp: Any, chain: Chain, number: Array) -> Chain:
    """Return the chain with its best state brought up to date after sweep ``number``; the earliest wins a tie."""
    better = chain.energy < chain.best_energy
    return chain._replace(
        best_spins=xp.where(better[..., None], chain.spins, chain.best_spins),
        best_energy=xp.where(better, chain.energy, chain.best_energy),
        best_sweep=xp.where(better, number, chain.best_sweep),
    )
