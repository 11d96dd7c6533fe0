"""Pictures of rows of -1 and +1: a sheet as a PNG file, and one for the terminal."""

from __future__ import annotations

import os
import struct
import zlib

import numpy as np
import numpy.typing as npt

from ebmhw.energy.learning.data import spin_rows
from ebmhw.errors import InvalidModel
from ebmhw.files import write_whole


def sheet(rows: npt.ArrayLike, height: int, width: int, columns: int = 16) -> npt.NDArray[np.uint8]:
    """Return pictures (count, height x width) of -1 and +1 side by side, ``columns`` in a line, as grey levels (lines, dots).

    +1 is 255, -1 is 0, and between pictures lies one dot of 96; places left over at the end are 96 too.
    """
    pictures = spin_rows(rows, height * width, "pictures").reshape(-1, height, width)
    if columns < 1:
        raise InvalidModel(f"{columns} pictures in a line; give at least 1")
    lines = -(-len(pictures) // columns)
    made = np.full((lines * (height + 1) + 1, columns * (width + 1) + 1), 96, dtype=np.uint8)
    for number, picture in enumerate(pictures):
        top, left = 1 + number // columns * (height + 1), 1 + number % columns * (width + 1)
        made[top : top + height, left : left + width] = np.where(picture > 0, 255, 0)
    return made


def write_png(path: str | os.PathLike[str], grey: npt.NDArray[np.uint8], zoom: int = 4) -> None:
    """Write grey levels (lines, dots) as a PNG file, each dot ``zoom`` x ``zoom``, that is whole or not there."""
    large = np.repeat(np.repeat(grey, zoom, axis=0), zoom, axis=1)
    lines = np.concatenate([np.zeros((len(large), 1), dtype=np.uint8), large], axis=1)
    header = struct.pack(">IIBBBBB", large.shape[1], large.shape[0], 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)) + _chunk(b"IEND", b"")
    write_whole(path, lambda file: file.write(data))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def text(rows: npt.ArrayLike, height: int, width: int, columns: int = 8) -> str:
    """Return pictures (count, height x width) for a terminal, two lines of dots in one line of text; +1 is dark on a light ground."""
    pictures = spin_rows(rows, height * width, "pictures").reshape(-1, height, width) > 0
    if height % 2:
        pictures = np.concatenate([pictures, np.zeros((len(pictures), 1, width), dtype=bool)], axis=1)
    blocks = np.array([" ", "▄", "▀", "█"])
    drawn = blocks[2 * pictures[:, 0::2] + pictures[:, 1::2]]
    lines = []
    for first in range(0, len(drawn), columns):
        group = drawn[first : first + columns]
        lines += ["  ".join("".join(picture[line]) for picture in group) for line in range(drawn.shape[1])] + [""]
    return "\n".join(lines[:-1])
