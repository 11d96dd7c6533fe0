"""JAX, where it is installed, and the arrays that users hand to an energy, checked by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, InvalidRun, MissingExtra, shown
from ebmhw.numbers import real_number, whole
from ebmhw.problems.problem import integer

try:
    import jax
    import jax.numpy as jnp
except ImportError as error:
    raise MissingExtra("energies are computed with jax, which is missing: pip install 'ebmhw[energy]'") from error

__all__ = [
    "FloatArray",
    "IntArray",
    "above",
    "axes",
    "count",
    "held",
    "indices",
    "jax",
    "jnp",
    "key_of",
    "on_device",
    "point",
    "positions",
    "precision",
    "several",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]

COUNT_LIMIT = 2**31 - 1
"""Steps, draws and the like are counted in 32 bits where JAX is not in its 64-bit mode."""


def precision() -> np.dtype[Any]:
    """Return the type that energies are computed in: float32, or float64 where JAX's 64-bit mode is on."""
    kind: np.dtype[Any] = np.dtype(jnp.result_type(float))
    return kind


def point(values: Any, what: str, *shape: int | None) -> Any:
    """Return numbers as an array of the present precision and of a shape, None for any length.

    What NumPy makes an array of is checked for values that are not finite. An array of JAX is not, which would wait for it: what is not finite
    in it shows in the energy.

    Raises
    ------
    InvalidModel
        for text, None, complex or Boolean values, another shape, values that are not finite.
    """
    if isinstance(values, jax.Array):
        if values.dtype == np.bool_ or not jnp.issubdtype(values.dtype, np.number) or jnp.issubdtype(values.dtype, np.complexfloating):
            raise InvalidModel(f"{what} is of type {values.dtype}; give real numbers")
        _refuse_shape(values.shape, what, shape)
        return values.astype(precision())
    array = _real(values, what)
    _refuse_shape(array.shape, what, shape)
    with np.errstate(over="ignore"):
        made = array.astype(precision())
    _refuse_infinite(made, array, what)
    return made


def held(values: Any, what: str, *shape: int | None) -> FloatArray:
    """Return finite parameters as a float64 array of its own that cannot be written to; errors as `point`."""
    if isinstance(values, jax.core.Tracer):
        raise InvalidModel(f"{what} is traced by a transformation of JAX; give numbers, or call `evaluate`, which takes parameters as arguments")
    made = np.array(_real(values, what), dtype=np.float64)
    _refuse_shape(made.shape, what, shape)
    _refuse_infinite(made, made, what)
    made.setflags(write=False)
    return made


def indices(values: Any, what: str, limit: int, *shape: int | None) -> IntArray:
    """Return positions 0 .. limit - 1 as an int32 array of its own; InvalidModel for anything else."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise InvalidModel(f"{what} are no rectangular array; give rows of equal length") from None
    if array.size == 0:
        array = array.astype(np.int32)
    if array.dtype.kind not in "iu":
        raise InvalidModel(f"{what} are {shown(values)}; give integers, 0 to {limit - 1}")
    _refuse_shape(array.shape, what, shape)
    outside = (array < 0) | (array >= limit)
    if outside.any():
        raise InvalidModel(f"{what} hold {int(array[outside].flat[0])}; give integers, 0 to {limit - 1}")
    made = array.astype(np.int32)
    made.setflags(write=False)
    return made


def positions(values: Any, what: str, input_dim: int, least: int = 1) -> IntArray:
    """Return distinct positions (k,) of a point, at least so many; InvalidModel names `what` for anything else."""
    size = integer(input_dim, "the number of inputs of an energy", 1)
    if axes(values, what) == 0:
        raise InvalidModel(f"{what} are {shown(values)}; give a sequence of integers, 0 to {size - 1}, such as [0]")
    made = indices(values, what, size, None)
    if made.size < least:
        raise InvalidModel(f"{what} are {made.size}; give {least} or more")
    if np.unique(made).size < made.size:
        raise InvalidModel(f"{what} {shown(made.tolist())} hold one twice; give distinct positions")
    return made


def count(value: Any, what: str, least: int = 1, most: int = COUNT_LIMIT) -> int:
    """Return a whole number within limits; InvalidRun names `what` for anything else."""
    number = whole(value)
    if number is None or not least <= number <= most:
        raise InvalidRun(f"{what} is {shown(value)}; give an integer, {least} to {most}")
    return number


def above(value: Any, what: str) -> float:
    """Return a number above 0 that the present precision holds; InvalidModel for what is no number, InvalidRun for another one."""
    number, limits = real_number(value, what), jnp.finfo(precision())
    least, most = float(limits.tiny), float(limits.max)
    if not least <= number <= most:
        raise InvalidRun(f"{what} is {number:g}; give a number above 0 within {precision().name} ({least:g} to {most:g})")
    return number


def several(values: Any, what: str, remedy: str) -> list[Any]:
    """Return what a sequence holds, as a list; InvalidModel with the remedy for what is no sequence."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable) or getattr(values, "ndim", None) == 0:
        raise InvalidModel(f"{what} are {shown(values)}; {remedy}")
    return list(values)


def axes(values: Any, what: str) -> int:
    """Return the number of axes of an array or of nested sequences; InvalidModel names `what` for ragged ones."""
    try:
        return int(np.ndim(values))
    except ValueError:
        raise InvalidModel(f"{what} is no rectangular array; give rows of equal length") from None


def key_of(seed: Any) -> Any:
    """Return a key of `jax.random`: of a whole number 0 .. 2^63 - 1, all of whose bits count whatever the precision; or the key that is given."""
    if isinstance(seed, jax.Array):
        return seed if jnp.issubdtype(seed.dtype, jax.dtypes.prng_key) else jax.random.wrap_key_data(seed)
    number = count(seed, "the seed", 0, 2**63 - 1)
    # jax.random.key(2**32) refuses, or drops high bits, unless JAX is in its 64-bit mode.
    return jax.random.fold_in(jax.random.key(np.uint32(number & 0xFFFFFFFF)), np.uint32(number >> 32))


def on_device(parameters: Any) -> Any:
    """Return a pytree of NumPy arrays as arrays of JAX, floats in the present precision; concrete also within a transformation of JAX."""
    with jax.ensure_compile_time_eval():
        return jax.tree.map(jnp.asarray, parameters)


def _real(values: Any, what: str) -> npt.NDArray[Any]:
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):
        raise InvalidModel(f"{what} is no rectangular array; give rows of equal length") from None
    if array.dtype.kind == "V" and np.can_cast(array.dtype, np.float64):  # bfloat16 and its like
        array = array.astype(np.float64)
    if array.dtype.kind not in "iuf":
        raise InvalidModel(f"{what} is {shown(values)} of type {array.dtype}; give real numbers")
    return array


def _refuse_shape(found: tuple[int, ...], what: str, shape: tuple[int | None, ...]) -> None:
    if len(found) != len(shape) or any(limit is not None and size != limit for size, limit in zip(found, shape, strict=True)):
        wanted = ", ".join("any" if limit is None else str(limit) for limit in shape) + ("," if len(shape) == 1 else "")
        raise InvalidModel(f"{what} has shape {found}; give ({wanted})")


def _refuse_infinite(made: npt.NDArray[Any], given: npt.NDArray[Any], what: str) -> None:
    bad = ~np.isfinite(made)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        at = f" at {place if len(place) != 1 else place[0]}" if place else ""
        raise InvalidModel(f"{what} holds {shown(given[place])}{at}; give finite numbers of {made.dtype}")
