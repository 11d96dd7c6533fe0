"""Box: the lower and upper ends between which points are held, in repair and in sampling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ebmhw.energy.arrays import axes, held, jnp, precision
from ebmhw.errors import InvalidRun, shown

Box = tuple[Any, Any]
"""(low, high): numbers or (input_dim,) each; None or infinite for no end."""


def box(bounds: Box | None, size: int) -> tuple[Any, Any]:
    """Return the lower and upper ends (size,) of bounds in the present precision, infinite where there are none.

    Raises
    ------
    InvalidModel
        for ends of another shape, or that are no numbers.
    InvalidRun
        for what is no pair, and ends that are not apart, or beyond what the present precision holds.
    """
    kind = precision()
    most = float(jnp.finfo(kind).max)
    if bounds is None:
        return jnp.full(size, -jnp.inf, kind), jnp.full(size, jnp.inf, kind)
    if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:
        raise InvalidRun(f"bounds are {shown(bounds)}; give (low, high)")
    ends = []
    for what, given, missing in zip(("the lower bound", "the upper bound"), bounds, (-math.inf, math.inf), strict=True):
        values = missing if given is None else given
        shape = () if axes(values, what) == 0 else (size,)
        array = np.asarray(values)
        # Infinite bounds are no bounds, which is allowed; what is not a number is not.
        infinite = np.isinf(array) if array.dtype.kind == "f" else np.zeros(array.shape, dtype=bool)
        finite = held(np.where(infinite, 0.0, array) if infinite.any() else array, what, *shape)
        checked = np.where(infinite, array, finite) if infinite.any() else finite
        beyond = ~infinite & (np.abs(checked) > most)
        if beyond.any():
            raise InvalidRun(f"{what} holds {checked[beyond].flat[0]:g}, beyond {kind.name} ({most:g}); give None for no bound")
        ends.append(np.broadcast_to(checked, (size,)).astype(kind))
    apart = ends[0] < ends[1]
    if not apart.all():
        worst = int(np.argmin(apart))
        raise InvalidRun(f"bounds of input {worst} are {ends[0][worst]:g} to {ends[1][worst]:g} in {kind.name}; give low < high")
    return jnp.asarray(ends[0]), jnp.asarray(ends[1])
