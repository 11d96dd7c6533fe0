"""Arrays of a .npz file, read without running anything that it holds."""

from __future__ import annotations

import io
import os
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidFile

SIZE_LIMIT = 1 << 32
"""Bytes of the arrays of one file; a file whose directory promises more is refused before they are read."""


def read_arrays(path: str | os.PathLike[str], what: str, remedy: str) -> dict[str, npt.NDArray[Any]]:
    """Return all arrays of a .npz file by name.

    Parameters
    ----------
    what, remedy : what the file should be, and how to get one, in messages

    Raises
    ------
    InvalidFile
        for what is no such file, a damaged one, and one of more than 4 GiB of arrays.
    OSError
        where it cannot be read.
    """
    name = os.fspath(path)
    with open(path, "rb") as file:
        content = file.read()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            promised = sum(member.file_size for member in archive.infolist())
        if promised <= SIZE_LIMIT:
            with np.load(io.BytesIO(content), allow_pickle=False) as held:
                return {key: held[key] for key in held.files}
    except Exception as error:  # what damaged bytes raise is no closed list: of zlib, zipfile, NumPy's parser of headers, memory
        raise InvalidFile(f"{name}: no {what} ({type(error).__name__}: {error}); {remedy}") from None
    raise InvalidFile(f"{name}: arrays of {promised} bytes, more than {SIZE_LIMIT}; this is no {what}; {remedy}")
