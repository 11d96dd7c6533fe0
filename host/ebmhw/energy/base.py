"""EnergyFunction: what every energy offers, compiled once for each shape and structure, parameters being arguments."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, final

import numpy as np

from ebmhw.energy.arrays import held, jax, on_device, point, precision
from ebmhw.energy.function import named, numbers, of_parameters_and_point
from ebmhw.errors import InvalidModel, shown
from ebmhw.problems.problem import integer

Self = TypeVar("Self", bound="EnergyFunction")


class EnergyFunction(ABC):
    """An energy over points x of `input_dim` real numbers; p(x) is proportional to exp(-energy(x)).

    NumPy or JAX in, JAX out (`numpy.asarray` takes it without a copy on a CPU), so that calls can stand within `jax.jit`, `jax.grad` and
    `jax.vmap`. Computed in float32, in float64 where JAX's 64-bit mode is on; no setting of JAX is changed.

    Code is compiled for a class, its `structure` and the shapes of its arguments, never for values: another energy with other weights, or the
    same one after `with_parameters`, runs what is there.

    Parameters
    ----------
    input_dim : length of a point, at least 1
    parameters : pytree of NumPy arrays that `evaluate` takes; floats are trained, integers (which spins a term holds) are not
    structure : what `evaluate` must know when it is compiled (sizes, functions), hashable and equal where code may be shared
    """

    def __init__(self, input_dim: int, parameters: Any, structure: Hashable = ()) -> None:
        self._input_dim = integer(input_dim, "the number of inputs of an energy", 1)
        self._held, self.structure = parameters, structure
        self._device: dict[str, Any] = {}

    @classmethod
    @abstractmethod
    def evaluate(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return the energy, a scalar, of one point (input_dim,): a pure function in JAX of its last two arguments."""

    @property
    def input_dim(self) -> int:
        """Length of a point."""
        return self._input_dim

    @property
    def parameters(self) -> Any:
        """Pytree of arrays of JAX in the present precision."""
        name = precision().name
        if name not in self._device:
            self._device[name] = on_device(self._held)
        return self._device[name]

    def with_parameters(self: Self, parameters: Any) -> Self:
        """Return this energy with other parameters, a pytree of the same form and shapes; integers in it stay as they are here.

        Raises
        ------
        InvalidModel
            for another form or shape, values that are not finite, and values traced by a transformation of JAX (call `evaluate` there).
        """
        leaves, form = jax.tree_util.tree_flatten_with_path(self._held)
        given, other = jax.tree.flatten(parameters)
        if other != form:
            raise InvalidModel(f"parameters have the form {other}; give that of this {type(self).__name__}, {form}")
        made = [
            held(value, f"parameter {jax.tree_util.keystr(path)}", *own.shape) if own.dtype.kind == "f" else own
            for (path, own), value in zip(leaves, given, strict=True)
        ]
        changed = copy.copy(self)
        changed._held, changed._device = jax.tree.unflatten(form, made), {}
        return changed

    def energy(self, x: Any) -> Any:
        """Return the energy, a scalar, of a point (input_dim,).

        Raises
        ------
        InvalidModel
            for another shape, what are no real numbers, and values that are not finite (of arrays that are not JAX's own).
        """
        return _energy(type(self), self.structure, self.parameters, point(x, "a point", self._input_dim))

    def energy_batch(self, xs: Any) -> Any:
        """Return the energies (B,) of points (B, input_dim); errors as `energy`."""
        return _energies(type(self), self.structure, self.parameters, point(xs, "a batch of points", None, self._input_dim))

    def grad_energy(self, x: Any) -> Any:
        """Return the gradient (input_dim,) of the energy at a point (input_dim,); errors as `energy`."""
        return _gradient(type(self), self.structure, self.parameters, point(x, "a point", self._input_dim))

    def grad_energy_batch(self, xs: Any) -> Any:
        """Return the gradients (B, input_dim) at points (B, input_dim); errors as `energy`."""
        return _gradients(type(self), self.structure, self.parameters, point(xs, "a batch of points", None, self._input_dim))


@final
class FunctionEnergy(EnergyFunction):
    """The energy ``function(parameters, x)``, or ``function(x)``, of a pure function in JAX.

    Code is shared by energies of one function object: give the same one with other parameters rather than a new lambda for each.

    Parameters
    ----------
    function : takes the parameters and a point (input_dim,), or a point alone where there are no parameters; returns a scalar
    input_dim : length of a point
    parameters : pytree of numbers and arrays

    Raises
    ------
    InvalidModel
        for a function of other arguments; and, when it is first called, for one that returns no scalar.
    """

    def __init__(self, function: Callable[..., Any], input_dim: int, parameters: Any = ()) -> None:
        called = of_parameters_and_point(function, parameters)

        def own(path: Any, leaf: Any) -> Any:
            array = np.asarray(leaf)
            return array.astype(np.int32) if array.dtype.kind in "iu" else held(leaf, f"parameter {jax.tree_util.keystr(path)}", *array.shape)

        super().__init__(input_dim, jax.tree_util.tree_map_with_path(own, parameters), called)

    @classmethod
    def evaluate(cls, structure: Any, parameters: Any, x: Any) -> Any:
        """Return what the function returns."""
        found = numbers(structure, structure(parameters, x), "an energy is one number, such as jnp.sum(x**2)")
        if found.shape:
            raise InvalidModel(f"function {named(structure)} returned shape {found.shape}; an energy is one number, such as jnp.sum(x**2)")
        return found


def checked_energy(energy: Any) -> EnergyFunction:
    """Return an energy as it is; InvalidModel for anything else."""
    if not isinstance(energy, EnergyFunction):
        raise InvalidModel(f"energy is {shown(energy)}; give an EnergyFunction, such as FunctionEnergy(function, input_dim)")
    return energy


def _one(kind: type[EnergyFunction], structure: Any, parameters: Any, x: Any) -> Any:
    return kind.evaluate(structure, parameters, x)


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return (kind, structure, parameters, x) -> function, compiled for the first two and the shapes of the others."""
    made: Callable[..., Any] = jax.jit(function, static_argnums=(0, 1))
    return made


_slope = jax.grad(_one, argnums=3)
_energy = _compiled(_one)
_energies = _compiled(lambda kind, structure, parameters, xs: jax.vmap(lambda x: _one(kind, structure, parameters, x))(xs))
_gradient = _compiled(_slope)
_gradients = _compiled(lambda kind, structure, parameters, xs: jax.vmap(lambda x: _slope(kind, structure, parameters, x))(xs))
