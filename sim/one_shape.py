"""The golden model under JAX for many small programs: arrays padded to one shape, so that it compiles once rather than for each program."""

from __future__ import annotations

from functools import partial
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.golden.arrays import Array, JaxArrays
from ebmhw.golden.drive import Driver
from ebmhw.golden.rows import PaddedRows
from ebmhw.golden.step import Chain, Row, end_of_sweep, step
from ebmhw.golden.stream import next_draw


@final
class OneShapeDriver(Driver):
    """The step function of the golden model under `lax.fori_loop`, whose length is no part of what is compiled.

    Rows have their terms and the spins of each padded to one of few sizes, states to ``spins`` spins.

    Parameters
    ----------
    spins : of the largest program
    """

    def __init__(self, spins: int) -> None:
        self.arrays = arrays = JaxArrays()
        self._spins = spins
        self._sweep = arrays.jax.jit(self._one_sweep, static_argnames="rule")
        self._draws = arrays.jax.jit(self._all_draws)

    def _all_draws(self, random: Array, count: Array) -> tuple[Array, Array]:
        jax, xp = self.arrays.jax, self.arrays.xp

        def one(spin: Array, drawn: tuple[Array, Array]) -> tuple[Array, Array]:
            draws, state = drawn
            draw, state = next_draw(xp, state)
            return draws.at[:, spin].set(draw), state

        draws, state = jax.lax.fori_loop(0, count, one, (xp.zeros((random.shape[0], self._spins), dtype=xp.uint32), random))
        return draws, state

    def draw_states(self, random: npt.NDArray[np.uint32], n: int) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.uint32]]:
        with self.arrays.integers64():
            draws, state = self._draws(self.arrays.xp.asarray(random), n)
            return np.where(np.asarray(draws)[:, :n] >> np.uint32(31) == 1, 1, -1).astype(np.int8), np.array(state)

    def _one_sweep(self, rows: Row, chain: Chain, count: Array, word: Array, number: Array, rule: str) -> Chain:
        jax, xp = self.arrays.jax, self.arrays.xp

        def one_row(index: Array, chain: Chain) -> Chain:
            row = Row(*(array[index] for array in rows))
            return jax.vmap(lambda one: step(self.arrays, one, row, word, rule))(chain)

        chain = jax.lax.fori_loop(0, count, one_row, chain)
        return jax.vmap(lambda one: end_of_sweep(xp, one, number))(chain)

    def sweeps(self, rows: PaddedRows, chain: Chain, words: npt.NDArray[np.uint32], done: int, rule: str) -> Chain:
        n, count = chain.spins.shape[1], rows.spin.size
        slots, width = (_room(size) for size in rows.others.shape[1:])
        padded = (
            _padded(rows.spin, (self._spins,), 0),
            _padded(rows.bias, (self._spins,), 0),
            _padded(rows.weights, (self._spins, slots), 0),
            # The spin after the last one is always +1.
            _padded(rows.others, (self._spins, slots, width), n - 1),
        )
        states = (chain.spins.shape[0], self._spins + 1)
        chain = chain._replace(spins=_padded(chain.spins, states, 1), best_spins=_padded(chain.best_spins, states, 1))
        with self.arrays.integers64():
            convert: Any = partial(map, self.arrays.xp.asarray)
            row, chain = Row(*convert(padded)), Chain(*convert(chain))
            for number, word in enumerate(words.tolist(), done + 1):
                chain = self._sweep(row, chain, count, np.int64(word), np.int64(number), rule=rule)
            chain = Chain(*(np.array(array) for array in chain))
        return chain._replace(spins=chain.spins[:, :n], best_spins=chain.best_spins[:, :n])


def _room(size: int) -> int:
    """Return a size that is padded to: 4, 32, 256, ..."""
    room = 4
    while room < size:
        room *= 8
    return room


def _padded(array: npt.NDArray[Any], shape: tuple[int, ...], value: int) -> npt.NDArray[Any]:
    """Return an array of a larger shape, ``value`` where it reaches beyond the given one."""
    return np.pad(array, [(0, size - old) for size, old in zip(shape, array.shape, strict=True)], constant_values=value)
