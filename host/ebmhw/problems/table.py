"""Numbers out of text: whole chunks by NumPy's C parser, line by line where that will not do.

The fast way either proves that each line holds exactly the numbers it should or gives up; the slow way reads the same
lines one by one, and is the only one to name an error. A chunk of 1 MiB bounds the memory of both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ebmhw.problems.text import Text, show

CHUNK = 1 << 20
"""Bytes parsed at a time."""

INTEGER = re.compile(rb"[+-]?[0-9]+")
NUMBER = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

_INTEGER_BYTES = b"0123456789+- \t\n\v\f\r"
_POINT_BYTES = b".eE"
_Number = TypeVar("_Number", np.int64, np.float64)
_INT64 = np.iinfo(np.int64)


class Rows(NamedTuple):
    """Lines of two indices and a weight: pairs (m, 2) int32, weights (m,) float64."""

    pairs: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64]


class Layout(NamedTuple):
    """What the lines of a table hold.

    ``noun`` names an index in messages, which lies in ``first .. last``; ``widths`` are the numbers of values a line may
    have (the same on every line of one file: a line that lost its weight must not pass for one of weight 1); ``comment`` is what begins a comment.
    """

    noun: str
    first: int
    last: int
    widths: tuple[int, ...]
    comment: bytes | tuple[bytes, ...]


def integers(chunk: bytes) -> npt.NDArray[np.int64] | None:
    """Return the integers of whitespace-separated text, or None where a token is no integer of 64 bits."""
    if chunk.translate(None, _INTEGER_BYTES):
        return None
    values = _numbers(chunk, np.dtype(np.int64), _starts(chunk).size)
    # C's strtoll saturates in silence, so its two extremes are as suspect as text.
    if values is None or (values.size and (values.max() == _INT64.max or values.min() == _INT64.min)):
        return None
    return values


def chunks(data: bytes, position: int = 0) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of consecutive pieces of about `CHUNK` bytes that end with a line."""
    while position < len(data):
        end = len(data)
        if end - position > CHUNK:
            newline = data.find(b"\n", position + CHUNK)
            end = end if newline < 0 else newline + 1
        yield position, end
        position = end


def read_rows(text: Text, position: int, line: int, layout: Layout) -> Rows:
    """Return the table that starts at a position, which begins the line of that number.

    Raises
    ------
    InvalidFile
        for a line of another number of values, an index that is not an integer in range, a weight that is not finite.
    """
    width = _width(text, position, line, layout)
    upper = text.data.count(b"\n", position) + 1
    pairs, weights, filled = np.empty((upper, 2), dtype=np.int32), np.ones(upper), 0
    for start, end in chunks(text.data, position):
        chunk = text.data[start:end]
        if end == len(text.data):
            chunk = chunk.rstrip() + b"\n"
        table = _fast(chunk, width, layout)
        if table is None:
            table = _slow(text, start, end, line, width, layout)
        rows = table[0].shape[0]
        pairs[filled : filled + rows] = table[0]
        weights[filled : filled + rows] = table[1]
        filled += rows
        line += text.data.count(b"\n", start, end)
    return Rows(pairs[:filled], weights[:filled])


def line_of_row(text: Text, position: int, line: int, layout: Layout, row: int) -> int:
    """Return the number of the line that holds a row of a table (counted from 0), the last one where it has fewer."""
    for number, _, content in text.lines(position, line):
        if not _skipped(content.strip(), layout):
            if row == 0:
                return number
            row -= 1
    return text.last_line


def _skipped(content: bytes, layout: Layout) -> bool:
    return not content or content.startswith(layout.comment)


def _width(text: Text, position: int, line: int, layout: Layout) -> int:
    for _, _, content in text.lines(position, line):
        if not _skipped(content.strip(), layout):
            found = len(content.split())
            return found if found in layout.widths else max(layout.widths)
    return max(layout.widths)


def _starts(chunk: bytes) -> npt.NDArray[np.intp]:
    blank = np.frombuffer(chunk, dtype=np.uint8) <= 32
    start = ~blank
    start[1:] &= blank[:-1]
    return np.flatnonzero(start)


def _numbers(chunk: bytes, dtype: np.dtype[_Number], tokens: int) -> npt.NDArray[_Number] | None:
    if not tokens:
        return np.zeros(0, dtype=dtype)
    # The parser takes a sign without digits for 0, ...
    codes = np.frombuffer(chunk, dtype=np.uint8)
    signs = np.flatnonzero((codes == 45) | (codes == 43))
    if signs.size and (signs[-1] + 1 == codes.size or ((codes[signs + 1] < 46) | (codes[signs + 1] > 57)).any()):
        return None
    try:
        values: npt.NDArray[_Number] = np.fromstring(chunk, dtype=dtype, sep=" ")
    except (ValueError, DeprecationWarning):
        return None
    # ... and "1-2" for two numbers; as every token gives one or more, equal counts prove one each.
    return values if values.size == tokens else None


def _fast(chunk: bytes, width: int, layout: Layout) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64] | float] | None:
    odd = chunk.translate(None, _INTEGER_BYTES)
    if odd.translate(None, _POINT_BYTES):
        return None
    codes = np.frombuffer(chunk, dtype=np.uint8)
    starts, newlines = _starts(chunk), np.flatnonzero(codes == 10)
    if starts.size != width * newlines.size or starts.size == 0:
        return None
    if (starts[width - 1 :: width] > newlines).any() or (starts[width::width] < newlines[:-1]).any():
        return None
    if odd:
        points = np.flatnonzero((codes == 46) | ((codes | 32) == 101))
        if ((np.searchsorted(starts, points, side="right") - 1) % width < 2).any():
            return None
    values: npt.NDArray[np.int64] | npt.NDArray[np.float64] | None
    values = _numbers(chunk, np.dtype(np.float64), starts.size) if odd else _numbers(chunk, np.dtype(np.int64), starts.size)
    if values is None:
        return None
    # Indices that came as floats are exact: none has a point or an exponent, and the range is checked here.
    table = values.reshape(-1, width)
    pairs = table[:, :2]
    if pairs.min() < layout.first or pairs.max() > layout.last:
        return None
    if width == 2:
        return pairs, 1.0
    low, high = table[:, 2].min(), table[:, 2].max()
    bounded = np.isfinite(low) and np.isfinite(high) if odd else low > _INT64.min and high < _INT64.max
    return (pairs, table[:, 2].astype(np.float64)) if bounded else None


def _slow(text: Text, start: int, end: int, line: int, width: int, layout: Layout) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    pairs: list[tuple[int, int]] = []
    weights: list[float] = []
    for number, after, content in text.lines(start, line):
        if not _skipped(content.strip(), layout):
            tokens = content.split()
            if len(tokens) != width:
                wanted = f"{width} (two of {layout.noun}{' and a weight' if width == 3 else ''})"
                raise text.error(
                    number,
                    f"{len(tokens)} value(s), {show(content.strip())}, where a line has {wanted}; complete the line, "
                    "or fetch the file again if it was cut short",
                )
            pairs.append((_place(text, number, tokens[0], layout), _place(text, number, tokens[1], layout)))
            weights.append(parse_weight(text, number, tokens[2]) if width == 3 else 1.0)
        if after >= end:
            break
    return np.array(pairs, dtype=np.int64).reshape(-1, 2), np.array(weights, dtype=np.float64)


def _place(text: Text, line: int, token: bytes, layout: Layout) -> int:
    return parse_integer(text, line, token, layout.noun, layout.first, layout.last)


def parse_integer(text: Text, line: int, token: bytes, noun: str, first: int, last: int) -> int:
    """Return a token as an integer in first .. last, or refuse it by name."""
    if not INTEGER.fullmatch(token):
        raise text.error(line, f"{show(token)} is no {noun}; give an integer in {first} .. {last}")
    # Python refuses to convert thousands of digits, and no limit here has more than 19.
    value = int(token) if len(token.lstrip(b"+-0")) <= 30 else (last + 1 if not token.startswith(b"-") else first - 1)
    if not first <= value <= last:
        raise text.error(line, f"{noun} {show(token)[1:-1]} is out of range; give an integer in {first} .. {last}")
    return value


def parse_weight(text: Text, line: int, token: bytes) -> float:
    """Return a token as a finite weight, or refuse it by name."""
    value = float(token) if NUMBER.fullmatch(token) else float("nan")
    if not np.isfinite(value):
        raise text.error(line, f"weight {show(token)} is no finite number; give a number below 1.8e308 in size")
    return value
