"""sample: many chains of a kernel side by side, with a warm-up that adapts step and mass, and what they drew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from ebmhw.energy.arrays import COUNT_LIMIT, FloatArray, axes, count, jax, jnp, key_of, point
from ebmhw.energy.diagnostics import effective_size, r_hat
from ebmhw.energy.dynamics import DIVERGENT, begin, step
from ebmhw.energy.kernel import Kernel
from ebmhw.energy.warmup import Adapting, Plan, finished, fresh, massed, moments, tuned
from ebmhw.errors import InvalidRun, shown
from ebmhw.stopping import Stop

CHUNK = 64
"""Draws between two looks at the clock."""


@final
@dataclass(frozen=True, eq=False)
class Chains:
    """What chains drew.

    Attributes
    ----------
    x : float64 (chains, draws, input_dim)
    energies : float64 (chains, draws)
    acceptance : (chains,) mean probability of acceptance after the warm-up; 1 for chains without acceptance
    divergent : (chains,) trajectories after the warm-up whose Hamiltonian was off by more than 1,000
    step_size, mass : of the leapfrog, after the warm-up; mass is (input_dim,)
    warmup, steps : steps that were taken in the warm-up, and after it
    stopped_by : "steps", "time limit" or "interrupted"; what is here is exact for the draws that are here
    seed : what was drawn from; equal seeds give equal draws, whatever the time limit
    """

    x: FloatArray
    energies: FloatArray
    acceptance: FloatArray
    divergent: FloatArray
    step_size: float
    mass: FloatArray
    warmup: int
    steps: int
    stopped_by: str
    seed: int

    @cached_property
    def r_hat(self) -> FloatArray:
        """Rank-normalised split R-hat of each input, (input_dim,); below 1.01 where chains agree. See `ebmhw.energy.diagnostics`."""
        found: FloatArray = r_hat(self.x)
        return found

    @cached_property
    def effective_size(self) -> FloatArray:
        """Effective number of draws of each input, (input_dim,), over all chains."""
        found: FloatArray = effective_size(self.x)
        return found

    @cached_property
    def energy_r_hat(self) -> float:
        """Rank-normalised split R-hat of the energy; it shows chains that go round in a circle, which the inputs' own may not."""
        return float(r_hat(self.energies))

    @cached_property
    def energy_effective_size(self) -> float:
        """Effective number of draws of the energy, over all chains."""
        return float(effective_size(self.energies))

    def flat(self) -> FloatArray:
        """Return all draws as (chains x draws, input_dim)."""
        return self.x.reshape(-1, self.x.shape[-1])

    def __repr__(self) -> str:
        chains, draws, size = self.x.shape
        return f"Chains({chains} chains of {draws} draws of {size} inputs, acceptance {self.acceptance.mean():.2f}, stopped by {self.stopped_by})"


def sample(
    kernel: Kernel,
    initial: Any,
    steps: int,
    seed: int = 0,
    warmup: int = 0,
    keep_every: int = 1,
    adapt_step: bool = True,
    adapt_mass: bool = False,
    time_limit: float | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Chains:
    """Return what chains of a kernel draw from given starts.

    The warm-up adapts the step to the kernel's target acceptance, averaged over chains; with `adapt_mass` also the mass, from the variances of
    the points between 0.3 and 0.7 of the warm-up. Without `adapt_step` the step stays as it is given. After the warm-up both are fixed, so that draws
    are exact. Numbers drawn depend on seed, chain and step
    alone. Code is compiled for the structure of the energy and the number of chains.

    Parameters
    ----------
    kernel : `Langevin` or `Hmc`
    initial : starts (chains, input_dim), or (input_dim,) for one chain
    steps : draws of each chain, at least 1, each `keep_every` steps after the one before
    seed : 0 or more
    warmup : steps before the first draw
    time_limit : seconds, looked at every 64 draws
    progress : called with (steps taken, steps in all)

    Raises
    ------
    InvalidModel
        for starts of another shape, or not finite.
    InvalidRun
        for a number that is not allowed, a start outside the bounds or without finite energy, and a limit or an interrupt before the first draw.
    """
    if not isinstance(kernel, Kernel):
        raise InvalidRun(f"kernel is {shown(kernel)}; give a Langevin or an Hmc")
    wanted, burn, thin = count(steps, "steps"), count(warmup, "warmup", 0), count(keep_every, "keep_every")
    number = count(seed, "the seed", 0, 2**63 - 1)
    if burn + wanted * thin > COUNT_LIMIT:
        raise InvalidRun(f"{burn} steps of warm-up and {wanted} draws every {thin} steps; give at most {COUNT_LIMIT} steps in all")
    energy = kernel.energy
    starts = point(initial, "starts", energy.input_dim)[None] if axes(initial, "starts") == 1 else point(initial, "starts", None, energy.input_dim)
    kernel.refuse_outside(initial)
    if not starts.shape[0]:
        raise InvalidRun("no starts; give at least one chain")
    form = (type(energy), energy.structure)
    states = _begin(*form, energy.parameters, starts)
    if not bool(jnp.isfinite(states.energy).all() & jnp.isfinite(states.gradient).all()):
        raise InvalidRun("a start has no finite energy and gradient; start elsewhere")
    chains, adapted = starts.shape[0], kernel.adjusted
    keys = jax.vmap(lambda chain: jax.random.fold_in(key_of(number), chain))(jnp.arange(chains))
    adapting = fresh(kernel.settings)
    plan = Plan(
        jnp.int32(0),
        jnp.int32(burn),
        jnp.int32(1),
        jnp.array(True),
        jnp.int32(burn),
        jnp.array(bool(adapt_step) and adapted),
        jnp.array(bool(adapt_mass) and adapted),
        jnp.asarray(kernel.target, dtype=starts.dtype),
    )
    burnt, drawn, ended = 0, 0, ""
    kept: tuple[list[FloatArray], ...] = ([], [], [], [])
    watch = Stop(time_limit)
    with watch.listening():
        while burnt < burn and not ended:
            states, adapting, _ = _advance(*form, energy.parameters, plan._replace(first=jnp.int32(burnt)), keys, adapting, states)
            burnt = min(burn, burnt + CHUNK)
            if progress is not None:
                progress(burnt, burn + wanted * thin)
            ended = watch.reason() or ""
        if burn:
            adapting = adapting._replace(settings=finished(adapting, plan))
        plan = plan._replace(last=jnp.int32(wanted), thin=jnp.int32(thin), warming=jnp.array(False))
        while drawn < wanted and not ended:
            states, adapting, rows = _advance(*form, energy.parameters, plan._replace(first=jnp.int32(drawn)), keys, adapting, states)
            taken = min(wanted - drawn, CHUNK)
            for held_rows, row in zip(kept, rows, strict=True):
                held_rows.append(np.asarray(row[:taken], dtype=np.float64))
            drawn += taken
            if progress is not None:
                progress(burnt + drawn * thin, burn + wanted * thin)
            ended = watch.reason() or "" if drawn < wanted else ""
    settings = adapting.settings
    if not drawn:
        raise InvalidRun(f"stopped by {ended} after {burnt} of {burn} steps of the warm-up, before the first draw; allow more time")
    points, energies, acceptance, divergent = kept
    return Chains(
        np.concatenate(points).transpose(1, 0, 2),
        np.concatenate(energies).T,
        np.concatenate(acceptance).mean(axis=0),
        np.concatenate(divergent).sum(axis=0),
        float(settings.step),
        np.asarray(settings.mass, dtype=np.float64),
        burnt,
        drawn * thin,
        ended or "steps",
        number,
    )


def _chunk(kind: Any, structure: Any, parameters: Any, plan: Plan, keys: Any, adapting: Adapting, states: Any) -> tuple[Any, Adapting, Any]:
    """Return states, adaptation and rows (points, energies, acceptance, divergent) after up to CHUNK rows; one code for warm-up and draws."""
    chains = states.x.shape[0]

    def tune(adapted: Adapting, at: Any, xs: Any, acceptance: Any) -> Adapting:
        adapted = tuned(adapted, plan, acceptance)
        measuring = (at >= 0.3 * plan.warmup) & (at < 0.7 * plan.warmup)
        adapted = jax.tree.map(lambda new, old: jnp.where(measuring, new, old), moments(adapted, xs), adapted)
        turning = measuring & (at + 1 >= 0.7 * plan.warmup) & plan.adapt_mass
        return jax.tree.map(lambda new, old: jnp.where(turning, new, old), massed(adapted, plan), adapted)  # type: ignore[no-any-return]

    def move(at: Any, carried: Any) -> Any:
        before, adapted, acceptance, divergent = carried
        drawn = jax.vmap(lambda key: jax.random.fold_in(key, at))(keys)
        after, info = jax.vmap(lambda key, state: step(kind, structure, parameters, adapted.settings, key, state))(drawn, before)
        adapted = jax.lax.cond(plan.warming, lambda a: tune(a, at, after.x, info.acceptance.mean()), lambda a: a, adapted)
        return after, adapted, acceptance + info.acceptance / plan.thin, divergent + (info.error > DIVERGENT)

    def one(carried: Any, offset: Any) -> tuple[Any, Any]:
        row = plan.first + offset
        start = jnp.where(plan.warming, 0, plan.warmup) + row * plan.thin
        steps = jnp.where(row < plan.last, plan.thin, 0)
        none = jnp.zeros(chains, carried[0].x.dtype), jnp.zeros(chains, jnp.int32)
        after, adapted, acceptance, divergent = jax.lax.fori_loop(start, start + steps, move, (*carried, *none))
        return (after, adapted), (after.x, after.energy, acceptance, divergent)

    (states, adapting), rows = jax.lax.scan(one, (states, adapting), jnp.arange(CHUNK))
    return states, adapting, rows


_begin = jax.jit(lambda kind, structure, parameters, xs: jax.vmap(lambda x: begin(kind, structure, parameters, x))(xs), static_argnums=(0, 1))
_advance = jax.jit(_chunk, static_argnums=(0, 1))
