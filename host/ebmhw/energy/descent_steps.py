"""The steps of a descent on a merit, compiled in pieces: what `repair` takes between two looks at the clock."""

from __future__ import annotations

from typing import Any, NamedTuple

from ebmhw.energy.arrays import jax, jnp
from ebmhw.energy.composed import ComposedEnergy

CHUNK = 32
"""Steps between two looks at the clock."""

MARGIN = 0.25
"""Part of a tolerance that the descent aims at: at the tolerance itself constraints that pull apart would end it a rounding error too early."""


class Place(NamedTuple):
    """A point (input_dim,), its merit, the energies (constraints,) and the gradient of the merit there."""

    x: Any
    total: Any
    energies: Any
    slope: Any


class State(NamedTuple):
    """Where a descent is, the best place it met, the present factor of the gradient, and what may end it."""

    at: Any
    best: Any
    size: Any
    best_step: Any
    settled: Any
    stalled: Any
    cold: Any
    step: Any


class Settings(NamedTuple):
    """Numbers of a descent, all arguments of compiled code; `last` is the number of steps."""

    step_size: Any
    noise: Any
    random_step: Any
    low: Any
    high: Any
    last: Any


def _merit(parameters: Any, energies: Any) -> Any:
    least = MARGIN * parameters["tolerances"]
    return parameters["weights"] @ (jnp.square(jnp.maximum(energies - least, 0.0)) / jnp.maximum(energies, least))


def _judged(structure: Any, parameters: Any, x: Any) -> tuple[Any, Any]:
    energies = ComposedEnergy.parts(structure, parameters, x)
    return _merit(parameters, energies), energies


def first(start: Any, constraints: int, step_size: Any) -> State:
    """Return the state before the first evaluation, which is that of the start, as step -1."""
    none, nothing = jnp.zeros(constraints, start.dtype), jnp.asarray(jnp.inf, start.dtype)
    at = Place(start, nothing, none, jnp.zeros_like(start))
    return State(at, at, step_size, jnp.int32(0), jnp.array(False), jnp.array(False), jnp.array(False), jnp.int32(-1))


def _step(structure: Any, parameters: Any, settings: Settings, drawn: Any, state: State) -> State:
    beginning = state.step < 0
    heat = settings.noise * jnp.maximum(1.0 - (4.0 / 3.0) * state.step / settings.last, 0.0)
    cold = heat == 0.0
    # What noise has reached is the best point; the descent that ends the run starts there.
    cooled = cold & (settings.noise > 0.0) & ~state.cold
    at = jax.tree.map(lambda best, here: jnp.where(cooled, best, here), state.best, state.at)
    basis = jnp.where(cooled, settings.step_size, state.size)
    normal, stretch, luck = drawn
    size = basis * jnp.where(settings.random_step, 1.0 + 0.5 * stretch, 1.0)
    flat = cold & jnp.all(at.slope == 0.0)
    push = jnp.where(flat, size * normal, jnp.sqrt(2.0 * size * heat) * normal)
    x = jnp.where(beginning, at.x, jnp.clip(at.x - size * at.slope + push, settings.low, settings.high))
    (total, energies), slope = jax.value_and_grad(_judged, argnums=2, has_aux=True)(structure, parameters, x)
    there = Place(x, total, energies, slope)
    sound = jnp.isfinite(total) & jnp.isfinite(slope).all()
    taken = beginning | (sound & ((total < at.total) | (total - at.total < -heat * jnp.log((1.0 + luck) / 2.0)) | flat))
    grown = jnp.minimum(basis * 1.2, jnp.where(cold, 16.0, 1.0) * settings.step_size)
    following = jax.tree.map(lambda new, old: jnp.where(taken, new, old), there, at)
    settled = jnp.all(following.energies <= parameters["tolerances"])
    better = beginning | (taken & ((total < state.best.total) | settled))
    next_size = jnp.where(beginning, basis, jnp.where(taken, grown, basis * 0.5))
    return State(
        following,
        jax.tree.map(lambda new, old: jnp.where(better, new, old), there, state.best),
        next_size,
        jnp.where(better, state.step + 1, state.best_step),
        settled,
        # Forty halvings are 1e-12 of a step, where float32 no longer moves.
        cold & ~taken & (next_size < settings.step_size * 1e-12),
        cold,
        state.step + 1,
    )


def _chunk(structure: Any, parameters: Any, settings: Settings, drawn: Any, state: State) -> tuple[State, Any]:
    def body(before: State, numbers: Any) -> tuple[State, Any]:
        resting = before.settled | before.stalled | (before.step >= settings.last)
        after: State = jax.lax.cond(resting, lambda s: s, lambda s: _step(structure, parameters, settings, numbers, s), before)
        return after, after.at.energies

    found: tuple[State, Any] = jax.lax.scan(body, state, drawn)
    return found


def _random(size: int, kind: Any, key: Any, start: Any) -> tuple[Any, Any, Any]:
    """Return normal numbers (CHUNK, size), and twice (CHUNK,) from (-1, 1), that depend on key and step alone."""

    def one(step: Any) -> Any:
        least = jnp.nextafter(jnp.array(-1.0, kind), jnp.array(0.0, kind))
        return jax.random.uniform(jax.random.fold_in(key, step), (size + 2,), kind, least, 1.0)

    drawn = jax.vmap(one)(start + jnp.arange(CHUNK))
    return jnp.sqrt(jnp.array(2.0, kind)) * jax.lax.erf_inv(drawn[:, :size]), drawn[:, size], drawn[:, size + 1]


# Apart from the steps, which are compiled for each energy: what draws random numbers takes a second to compile on a CPU.
draw = jax.jit(_random, static_argnums=(0, 1))
advance = jax.jit(_chunk, static_argnums=0)
