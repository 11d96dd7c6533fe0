"""Drivers of the step function: a Python loop for NumPy, lax.scan over vmapped chains for JAX."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.golden.arrays import Array, Arrays, JaxArrays, NumpyArrays
from ebmhw.golden.rows import PaddedRows
from ebmhw.golden.step import Chain, Row, end_of_sweep, step
from ebmhw.golden.stream import initial_random, next_draw


class Driver(ABC):
    """Runs many chains, given and returned as NumPy arrays with a leading axis of reads."""

    arrays: Arrays

    @abstractmethod
    def draw_states(self, random: npt.NDArray[np.uint32], n: int) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.uint32]]:
        """Return (spins (reads, n), random (reads, 4)): one draw a spin in index order, +1 iff its top bit is 1."""

    @abstractmethod
    def sweeps(self, rows: PaddedRows, chain: Chain, words: npt.NDArray[np.uint32], done: int, rule: str) -> Chain:
        """Return the chains after one sweep a word; ``done`` sweeps came before."""

    @final
    def random(self, seed: int, reads: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """Return the first random states of reads, uint32 (reads, 4)."""
        with self.arrays.integers64():
            return np.asarray(initial_random(self.arrays.xp, seed, self.arrays.xp.asarray(reads)))


@final
class NumpyDriver(Driver):
    """A Python loop over rows; all reads at once."""

    def __init__(self) -> None:
        self.arrays = NumpyArrays()

    def draw_states(self, random: npt.NDArray[np.uint32], n: int) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.uint32]]:
        spins = np.empty((random.shape[0], n), dtype=np.int8)
        for spin in range(n):
            draw, random = next_draw(np, random)
            spins[:, spin] = np.where(draw >> np.uint32(31) == 1, 1, -1)
        return spins, random

    def sweeps(self, rows: PaddedRows, chain: Chain, words: npt.NDArray[np.uint32], done: int, rule: str) -> Chain:
        each = [rows.row(i) for i in range(rows.spin.size)]
        chain = chain._replace(spins=chain.spins.copy())
        for word in words.tolist():
            done += 1
            for row in each:
                chain = step(self.arrays, chain, row, np.int64(word), rule)
            chain = end_of_sweep(np, chain, done)
        return chain


@final
class JaxDriver(Driver):
    """Compiled: lax.scan over sweeps and rows, vmap over chains. A new program shape or number of sweeps compiles anew."""

    def __init__(self) -> None:
        self.arrays = arrays = JaxArrays()
        self._jax = jax = arrays.jax
        self._sweeps = jax.jit(self._all_sweeps, static_argnames="rule")
        self._draws = jax.jit(self._all_draws, static_argnames="count")

    def _all_draws(self, random: Array, count: int) -> tuple[Array, Array]:
        jax, xp = self._jax, self.arrays.xp

        def one(state: Array, _: None) -> tuple[Array, Array]:
            draw, state = next_draw(xp, state)
            return state, draw

        state, draws = jax.lax.scan(one, random, None, length=count)
        return state, draws

    def draw_states(self, random: npt.NDArray[np.uint32], n: int) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.uint32]]:
        with self.arrays.integers64():
            state, draws = self._draws(self.arrays.xp.asarray(random), count=n)
            spins = np.where(np.asarray(draws).T >> np.uint32(31) == 1, 1, -1).astype(np.int8)
            return spins, np.array(state)

    def _all_sweeps(self, rows: Row, chain: Chain, words: Array, done: Array, rule: str) -> Chain:
        jax, xp = self._jax, self.arrays.xp

        def one_row(chain: Chain, row_and_beta: tuple[Row, Array]) -> tuple[Chain, None]:
            row, beta = row_and_beta
            return step(self.arrays, chain, row, beta, rule), None

        def one_sweep(chain: Chain, word_and_number: tuple[Array, Array]) -> tuple[Chain, None]:
            word, number = word_and_number
            betas = xp.broadcast_to(word, rows.spin.shape)
            chain, _ = jax.lax.scan(one_row, chain, (rows, betas))
            return end_of_sweep(xp, chain, number), None

        def one_chain(chain: Chain) -> Chain:
            numbers = done + 1 + xp.arange(words.shape[0])
            final_chain, _ = jax.lax.scan(one_sweep, chain, (words.astype(xp.int64), numbers))
            result: Chain = final_chain
            return result

        result: Chain = jax.vmap(one_chain)(chain)
        return result

    def sweeps(self, rows: PaddedRows, chain: Chain, words: npt.NDArray[np.uint32], done: int, rule: str) -> Chain:
        xp = self.arrays.xp
        with self.arrays.integers64():
            convert: Any = partial(map, xp.asarray)
            out = self._sweeps(Row(*convert(rows)), Chain(*convert(chain)), xp.asarray(words), xp.asarray(done, dtype=xp.int64), rule=rule)
            return Chain(*(np.array(field) for field in out))
