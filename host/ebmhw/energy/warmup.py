"""The warm-up of chains: the step by dual averaging, the mass by the variances of the points; both stand still after it."""

from __future__ import annotations

from typing import Any, NamedTuple

from ebmhw.energy.arrays import jnp
from ebmhw.energy.dynamics import Settings


class Plan(NamedTuple):
    """What a chunk does: rows first .. last - 1, each of so many steps; whether it is the warm-up, of how many steps; what is adapted, to what."""

    first: Any
    last: Any
    thin: Any
    warming: Any
    warmup: Any
    adapt_step: Any
    adapt_mass: Any
    target: Any


class Adapting(NamedTuple):
    """Dual averaging of the step (Hoffman and Gelman, 2014, 3.2.1) and running moments of the points (Welford)."""

    settings: Settings
    centre: Any
    averaged: Any
    shortfall: Any
    number: Any
    seen: Any
    mean: Any
    squares: Any


def fresh(settings: Settings) -> Adapting:
    """Return the adaptation that begins with settings."""
    zero = jnp.zeros_like(settings.step)
    return Adapting(
        settings,
        jnp.log(10.0 * settings.step),
        jnp.log(settings.step),
        zero,
        zero,
        zero,
        jnp.zeros_like(settings.mass),
        jnp.zeros_like(settings.mass),
    )


def finished(adapting: Adapting, plan: Plan) -> Settings:
    """Return the settings after the warm-up: the averaged step."""
    return adapting.settings._replace(step=jnp.where(plan.adapt_step, jnp.exp(adapting.averaged), adapting.settings.step))


def tuned(adapting: Adapting, plan: Plan, acceptance: Any) -> Adapting:
    """Return the adaptation after a step of this mean acceptance."""
    t = adapting.number + 1.0
    shortfall = adapting.shortfall + (plan.target - acceptance - adapting.shortfall) / (t + 10.0)
    log_step = adapting.centre - jnp.sqrt(t) / 0.05 * shortfall
    share = t**-0.75
    averaged = share * log_step + (1.0 - share) * adapting.averaged
    settings = adapting.settings._replace(step=jnp.where(plan.adapt_step, jnp.exp(log_step), adapting.settings.step))
    return adapting._replace(settings=settings, shortfall=shortfall, averaged=averaged, number=t)


def moments(adapting: Adapting, xs: Any) -> Adapting:
    """Return the adaptation after points (chains, input_dim)."""
    rows = xs.shape[0]
    seen = adapting.seen + rows
    mean = xs.mean(axis=0)
    apart = mean - adapting.mean
    squares = adapting.squares + jnp.square(xs - mean).sum(axis=0) + jnp.square(apart) * adapting.seen * rows / seen
    return adapting._replace(seen=seen, mean=adapting.mean + apart * rows / seen, squares=squares)


def massed(adapting: Adapting, plan: Plan) -> Adapting:
    """Return the adaptation begun anew with masses of 1 / variance, and with the step that is as stable as the one before."""
    seen = adapting.seen
    variance = adapting.squares / jnp.maximum(seen - 1.0, 1.0)
    # Few draws are drawn towards a small variance, as in Stan.
    kept = (seen * variance + 5.0 * 1e-3) / (seen + 5.0)
    settings = adapting.settings._replace(mass=1.0 / kept)
    # The stiffest input limits the step: its frequency is 1 / sqrt(variance x mass), now 1 for all.
    longer = 1.0 / jnp.sqrt(jnp.min(kept * adapting.settings.mass))
    return fresh(settings._replace(step=jnp.where(plan.adapt_step, jnp.exp(adapting.averaged) * longer, settings.step)))
