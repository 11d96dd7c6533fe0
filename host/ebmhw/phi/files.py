"""Logits and token ids from .npy, .npz and .safetensors files, mapped into memory where the format allows it."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidFile, InvalidLogits, shown
from ebmhw.phi.logits import SOURCES, HostLogits, logits_of

ENDINGS = (".npy", ".npz", ".safetensors")
"""Files that can be read; members of .npz are not mapped but loaded."""

_SAFETENSORS = {
    "F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8", "BOOL": "?",
    "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8", "U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8",
}  # fmt: skip
_NPY_START = b"\x93NUMPY"
_HEADER_LIMIT = 100_000_000
"""Bytes of the longest header that the format allows."""


@final
@dataclass(frozen=True, eq=False)
class StoredArray:
    """An array of a file.

    Attributes
    ----------
    name : the key it has there, "" in a .npy
    array : its entries
    bfloat16 : True for words of that format, as uint16
    """

    name: str
    array: npt.NDArray[Any]
    bfloat16: bool = False


def read_logits(path: str, key: str | None = None, bfloat16: bool = False) -> HostLogits:
    """Return the logits of a file.

    Parameters
    ----------
    path : a .npy, .npz or .safetensors file
    key : which array of it; else "logits", else the only one
    bfloat16 : take 16-bit words for bfloat16, which .npy files do not know

    Raises
    ------
    InvalidFile
        for a file that cannot be read, or has no such array.
    InvalidLogits
        for an array that is no floating format.
    """
    stored = read_array(path, key, "logits")
    array = stored.array
    if stored.bfloat16 or bfloat16:
        if array.dtype.itemsize != 2 or (array.dtype.kind not in "uiV" or array.dtype.names is not None):
            raise InvalidFile(f"{path}: logits have dtype {array.dtype}, not 16-bit words of bfloat16; leave --bfloat16 out")
        return HostLogits(array.view("<u2" if array.dtype.kind == "V" else array.dtype.str.replace("i", "u")), "bfloat16")
    if array.dtype.str in ("|V2", "<V2"):
        raise InvalidFile(f"{path}: its entries are 16-bit words of no named format; if they are bfloat16 say so (--bfloat16)")
    if array.dtype.name not in SOURCES:
        words = "if they are words of bfloat16, say so (--bfloat16), else " if array.dtype.name in ("uint16", "int16") else ""
        raise InvalidLogits(f"{path}: logits have dtype {shown(array.dtype.name)}; {words}store them as float16, bfloat16, float32 or float64")
    logits = logits_of(array)
    assert isinstance(logits, HostLogits)
    return logits


def read_array(path: str, key: str | None, usual: str) -> StoredArray:
    """Return an array of a file: that of ``key``, else the one called ``usual``, else the only one."""
    ending = Path(path).suffix
    if ending not in ENDINGS:
        raise InvalidFile(f"{path}: it ends in {ending or 'nothing'}; give one of {', '.join(ENDINGS)}")
    try:
        if ending == ".npy":
            if key is not None:
                raise InvalidFile(f"{path}: a .npy file has one array without a name; leave the key {key!r} out")
            return StoredArray("", _of_npy(path))
        if ending == ".npz":
            # NumPy leaves a file open that is no archive; one that it is given is closed here.
            with open(path, "rb") as stream:
                if not zipfile.is_zipfile(stream):
                    raise InvalidFile(f"{path}: it is no .npz archive, or is cut off; save the arrays with numpy.savez, or copy it again")
                stream.seek(0)
                with np.load(stream, allow_pickle=False) as archive:
                    name = _pick(path, key, usual, list(archive))
                    try:
                        return StoredArray(name, archive[name])
                    except ValueError as error:
                        if "allow_pickle" not in str(error):
                            raise
                        raise InvalidFile(f"{path}: the entries of {name!r} are objects of Python; save an array of plain numbers") from None
        return _of_safetensors(path, key, usual)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, InvalidFile):
            raise
        if isinstance(error, FileNotFoundError):
            raise InvalidFile(f"{path}: there is no such file; check the path") from None
        text = error.strerror or error if isinstance(error, OSError) else error
        raise InvalidFile(f"{path}: {str(text).rstrip('.')}; give a {ending} file with plain numbers") from None


def _of_npy(path: str) -> npt.NDArray[Any]:
    # NumPy takes whatever does not begin as its format for a pickle, and says how to load that.
    with open(path, "rb") as stream:
        start = stream.read(len(_NPY_START))
    if start != _NPY_START:
        begins = "is empty" if not start else "does not begin as a .npy file"
        raise InvalidFile(f"{path}: it {begins}; save the array with numpy.save")
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        return array
    except (ValueError, EOFError) as error:
        if "Python objects" in str(error):
            raise InvalidFile(f"{path}: its entries are objects of Python; save an array of plain numbers") from None
        raise InvalidFile(f"{path}: it is cut off, or its header is damaged ({str(error).rstrip('.')}); copy or save it again") from None


def _pick(path: str, key: str | None, usual: str, names: list[str]) -> str:
    wanted = key if key is not None else usual if usual in names else names[0] if len(names) == 1 else None
    if wanted not in names:
        listed = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "") if names else "none"
        reason = f"has no array {shown(key)}" if key is not None else "does not say which array is meant"
        raise InvalidFile(f"{path}: it {reason}; give the key of one of its arrays: {listed}")
    return wanted


def _of_safetensors(path: str, key: str | None, usual: str) -> StoredArray:
    """Return an array of a .safetensors file: 8 bytes of length, as much JSON, and the tensors one after the other."""
    # The library of that name (0.8) copies what it hands to NumPy, and refuses bfloat16 there.
    size = Path(path).stat().st_size
    with open(path, "rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > min(size - 8, _HEADER_LIMIT):
            raise ValueError(f"its header of {length} bytes does not fit into it")
        header = json.loads(stream.read(length))
    if not isinstance(header, dict):
        raise ValueError("its header is no mapping")
    name = _pick(path, key, usual, [entry for entry in header if entry != "__metadata__"])
    try:
        kind, shape = header[name]["dtype"], tuple(int(length_) for length_ in header[name]["shape"])
        start, stop = (int(offset) for offset in header[name]["data_offsets"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"its header does not describe {name!r} ({error!r})") from None
    if kind not in _SAFETENSORS:
        raise ValueError(f"{name!r} has dtype {shown(kind)}")
    dtype = np.dtype(_SAFETENSORS[kind])
    if min((0, *shape)) < 0 or stop - start != prod(shape) * dtype.itemsize or not 0 <= start <= stop <= size - 8 - length:
        raise ValueError(f"the bytes {start} to {stop} of {name!r} are not {shape} of {kind}")
    # An empty range cannot be mapped.
    whole = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length + start, shape=(stop - start,)) if stop > start else np.zeros(0, np.uint8)
    return StoredArray(name, np.asarray(whole).view(dtype).reshape(shape), kind == "BF16")
