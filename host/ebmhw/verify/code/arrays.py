"""Arrays and numbers of NumPy as trees, where NumPy is there; others see no difference to values of Python's own.

An array is {"ndarray": [type, shape, bytes in hexadecimal]}, a number of its types {"numpy": [type, bytes]}. Booleans, integers, floats and complex
numbers are passed; objects, records, texts and times are not. An array is passed by its content: views of one memory come out as arrays of their own.

This module runs inside the sandbox as well: it imports NumPy only once the code there has, or a tree names it.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from ebmhw.verify.code.kinds import Refused

_KINDS = "biufc"
_TYPE = re.compile(r"[<|][biufc]\d{1,2}")
MAX_DIMENSIONS = 32


def is_array(value: Any) -> bool:
    """Tell whether a value is an array that can be passed."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) is getattr(numpy, "ndarray", None) and value.dtype.kind in _KINDS


def is_number(value: Any) -> bool:
    """Tell whether a value is a number of NumPy's that can be passed."""
    numpy = sys.modules.get("numpy")
    generic: Any = getattr(numpy, "generic", None)
    if not (isinstance(generic, type) and isinstance(value, generic)):
        return False
    number: Any = value
    return type(value).__module__ == "numpy" and number.dtype.kind in _KINDS


def array_tree(value: Any) -> Any:
    """Return the tree of an array."""
    return {"ndarray": [_little(value).dtype.str, list(value.shape), _little(value).tobytes().hex()]}


def number_tree(value: Any) -> Any:
    """Return the tree of a number of NumPy's."""
    return {"numpy": [_little(value).dtype.str, _little(value).tobytes().hex()]}


def read_array(tag: str, body: Any) -> Any:
    """Return the array or number of a tree; Refused, ValueError or TypeError where there is none."""
    try:
        import numpy
    except ImportError:
        raise Refused("an array of NumPy came where NumPy is not allowed") from None
    if type(body) is not list or len(body) != (3 if tag == "ndarray" else 2) or type(body[0]) is not str or type(body[-1]) is not str:
        raise Refused("an array is not written as one")
    if not _TYPE.fullmatch(body[0]):
        raise Refused(f"{body[0]!r:.40} is no type of numbers")
    kind = numpy.dtype(body[0])
    shape = body[1] if tag == "ndarray" else []
    if type(shape) is not list or len(shape) > MAX_DIMENSIONS or not all(type(length) is int and 0 <= length < 2**53 for length in shape):
        raise Refused("the shape of an array is none")
    data, count = bytes.fromhex(body[-1]), 1
    for length in shape:
        count *= length
    if count * kind.itemsize != len(data):
        raise Refused("an array holds more or less than its shape says")
    made = numpy.frombuffer(data, kind).reshape(shape).copy()
    return made if tag == "ndarray" else made[()]


def check_refill(target: Any, fresh: Any) -> None:
    """Refuse to give an array, in place, what another holds, unless both are alike."""
    if target.shape != fresh.shape or target.dtype != fresh.dtype or not target.flags.writeable:
        raise Refused("an array cannot change its type or shape in place, nor one that is only read its content")


def _little(value: Any) -> Any:
    """Return it with the lowest byte of each number first, as types are written."""
    import numpy

    made = numpy.asarray(value)
    return made.astype(made.dtype.newbyteorder("<")) if made.dtype.byteorder == ">" else made
