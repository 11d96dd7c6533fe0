"""Packing: structures of `amaranth.lib.data` as integers, without the cost of a constant of the language for each."""

from __future__ import annotations

from typing import Any, Final, final

from amaranth.hdl import Shape, ShapeLike
from amaranth.lib import data


@final
class Packing:
    """Turns values of a shape into bits and back: a number, a mapping for a structure, a sequence for an array.

    Parameters
    ----------
    shape : of what is packed

    Attributes
    ----------
    bits : width of the whole
    """

    def __init__(self, shape: ShapeLike) -> None:
        cast = Shape.cast(shape)
        self.bits: Final[int] = cast.width
        self._signed: Final[bool] = cast.signed
        self._array: Final = isinstance(shape, data.ArrayLayout)
        self._parts: Final = [(key, Packing(field.shape), field.offset) for key, field in shape] if isinstance(shape, data.Layout) else None

    def pack(self, value: Any) -> int:
        """Return the bits of a value; every part of a structure must be there."""
        if self._parts is None:
            return int(value) & (1 << self.bits) - 1
        total = 0
        for key, part, offset in self._parts:
            total |= part.pack(value[key]) << offset
        return total

    def unpack(self, bits: int) -> Any:
        """Return the value that has these bits."""
        if self._parts is None:
            value = bits & (1 << self.bits) - 1
            return value - (1 << self.bits) if self._signed and value >> self.bits - 1 else value
        values = {key: part.unpack(bits >> offset) for key, part, offset in self._parts}
        return list(values.values()) if self._array else values
