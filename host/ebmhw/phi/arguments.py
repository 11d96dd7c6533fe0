"""Arguments that come next to logits, as plain numbers and arrays; InvalidLogits names the one that is wrong."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidLogits, shown
from ebmhw.numbers import whole

_FILLERS = {"logits": "-numpy.inf", "chosen": "-100", "mask": "False"}


def whole_number(value: Any, what: str, low: int, high: int, default: int | None, reason: str) -> int:
    """Return an argument as an integer within low..high; None is ``default``, and refused where that is None too."""
    if value is None and default is not None:
        return default
    number = whole(value)
    if number is None or not low <= number <= high:
        raise InvalidLogits(f"{what} is {shown(value)}; give a whole number from {low} to {high} ({reason})")
    return number


def array_of(value: Any, what: str) -> npt.NDArray[Any]:
    """Return an argument as a NumPy array, uncopied where it offers ``__array__`` or ``__dlpack__``; tensors come to the host."""
    if isinstance(value, np.ma.MaskedArray):
        raise InvalidLogits(f"{what} {_verb(what)} a masked array; give {what}.filled({_FILLERS[what]})")
    torch = sys.modules.get("torch")
    try:
        if torch is not None and isinstance(value, torch.Tensor):
            return np.asarray(value.detach().cpu().numpy())
        if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
            return np.from_dlpack(value)
        array = np.asarray(value)
    except Exception as error:  # whatever a foreign __array__ raises
        raise InvalidLogits(f"{what} {_verb(what)} a {type(value).__name__} that NumPy cannot read ({error}); give a rectangular array") from None
    # Whole numbers in a list are numbers like others; in an array they are more likely token ids.
    if what == "logits" and isinstance(value, (list, tuple)) and array.dtype.kind in "iu":
        return array.astype(np.float64)
    return array


def _verb(what: str) -> str:
    return "are" if what == "logits" else "is"
