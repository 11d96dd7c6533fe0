"""One step of Hamiltonian dynamics under an energy, from which Langevin and Hamiltonian sampling are both made."""

from __future__ import annotations

from typing import Any, NamedTuple

from ebmhw.energy.arrays import jax, jnp

DIVERGENT = 1000.0
"""Error of the Hamiltonian from which a trajectory counts as divergent; Stan's threshold."""


class State(NamedTuple):
    """A point (input_dim,), its energy, and the energy's gradient there."""

    x: Any
    energy: Any
    gradient: Any


class Info(NamedTuple):
    """What a step did: the probability of acceptance, whether it was accepted, and the error of the Hamiltonian, in units of the temperature."""

    acceptance: Any
    accepted: Any
    error: Any


class Settings(NamedTuple):
    """Numbers of a kernel, all arguments of compiled code: step of the leapfrog, most leaps, temperature; mass, low, high (input_dim,); adjusted."""

    step: Any
    mass: Any
    leaps: Any
    temperature: Any
    low: Any
    high: Any
    adjusted: Any


def begin(kind: Any, structure: Any, parameters: Any, x: Any) -> State:
    """Return the state at a point."""
    return State(x, *jax.value_and_grad(kind.evaluate, argnums=2)(structure, parameters, x))


def folded(x: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Return points reflected at bounds as often as needed, and -1 where their direction turned round, else 1."""
    bounded_low, bounded_high = jnp.isfinite(low), jnp.isfinite(high)
    both = bounded_low & bounded_high
    a, b = jnp.where(bounded_low, low, 0.0), jnp.where(bounded_high, high, 0.0)
    width = jnp.where(both, b - a, 1.0)
    turns = jnp.floor((x - a) / width)
    odd = jnp.mod(turns, 2.0) == 1.0
    rest = x - a - turns * width
    # Rounding may leave the rest just outside its cell.
    inside = jnp.clip(jnp.where(odd, b - rest, a + rest), jnp.where(both, a, -jnp.inf), jnp.where(both, b, jnp.inf))
    one_sided = jnp.where(bounded_low, a + jnp.abs(x - a), jnp.where(bounded_high, b - jnp.abs(b - x), x))
    beyond = (bounded_low & (x < a)) | (bounded_high & (x > b))
    return jnp.where(both, inside, one_sided), jnp.where(jnp.where(both, odd, beyond), -1.0, 1.0).astype(x.dtype)


def leapfrog(kind: Any, structure: Any, parameters: Any, settings: Settings, leaps: Any, state: State, momentum: Any) -> tuple[State, Any]:
    """Return state and momentum after so many leapfrog steps: half a kick, a drift, half a kick; bounds reflect, as walls do.

    The energy is divided by the temperature. The map is reversible (negate the momentum and it leads back) and keeps volumes; its error in the
    Hamiltonian over a fixed time falls with the square of the step.
    """

    def leap(_: Any, carried: tuple[State, Any]) -> tuple[State, Any]:
        at, p = carried
        p = p - 0.5 * settings.step / settings.temperature * at.gradient
        x, turned = folded(at.x + settings.step * p / settings.mass, settings.low, settings.high)
        at = begin(kind, structure, parameters, x)
        return at, p * turned - 0.5 * settings.step / settings.temperature * at.gradient

    found: tuple[State, Any] = jax.lax.fori_loop(0, leaps, leap, (state, momentum))
    return found


def hamiltonian(settings: Settings, state: State, momentum: Any) -> Any:
    """Return energy / temperature + sum p^2 / (2 mass)."""
    return state.energy / settings.temperature + 0.5 * jnp.sum(jnp.square(momentum) / settings.mass)


def step(kind: Any, structure: Any, parameters: Any, settings: Settings, key: Any, state: State) -> tuple[State, Info]:
    """Return the next state of a chain: a fresh momentum, a trajectory, and, where `adjusted`, Metropolis acceptance of its end.

    Trajectories have 1 to `leaps` leaps, at random: of one fixed length an oscillation comes back to where it was (measured on a Gaussian with
    correlation 0.9: half the true variance, with an R-hat of 1.000). Without acceptance a trajectory that ends at what is not finite is still
    refused. Density: exp(-energy / temperature), exact where adjusted.
    """
    size, kind_of = state.x.shape[0], state.x.dtype
    # One draw for all that is random: each further call of jax.random adds 0.4 s to the time to compile on a CPU.
    drawn = jax.random.uniform(key, (size + 2,), kind_of, jnp.nextafter(jnp.array(-1.0, kind_of), jnp.array(0.0, kind_of)), 1.0)
    momentum = jnp.sqrt(2.0 * settings.mass) * jax.lax.erf_inv(drawn[:size])
    leaps = 1 + jnp.minimum((drawn[size] + 1.0) / 2.0 * settings.leaps, settings.leaps - 1).astype(jnp.int32)
    end, final = leapfrog(kind, structure, parameters, settings, leaps, state, momentum)
    error = hamiltonian(settings, end, final) - hamiltonian(settings, state, momentum)
    sound = jnp.isfinite(error) & jnp.isfinite(end.gradient).all()
    acceptance = jnp.where(sound, jnp.where(settings.adjusted, jnp.exp(jnp.minimum(-error, 0.0)), 1.0), 0.0)
    accepted = (drawn[size + 1] + 1.0) / 2.0 < acceptance
    following = jax.tree.map(lambda new, old: jnp.where(accepted, new, old), end, state)
    return following, Info(acceptance, accepted, jnp.where(sound, error, jnp.inf))
