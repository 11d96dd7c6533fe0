"""Logits: the caller's array as rows of words, never copied as a whole."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from functools import cached_property
from itertools import pairwise
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidLogits, shown
from ebmhw.phi.arguments import array_of

SOURCES = ("float16", "bfloat16", "float32", "float64")
"""Formats in which logits may come; float64 is rounded to float32, to nearest even."""

_WORDS = {"float16": "u2", "bfloat16": "u2", "float32": "u4", "float64": "u8"}
_REMEDY = "give float16, bfloat16, float32 or float64, such as logits.astype('float32')"
_NUMBERS = "give an array (..., T, V) of numbers in float16, bfloat16, float32 or float64"
_DLPACK_CPU = (1, 3, 11)
"""Device types of DLPack whose memory the host reads: CPU, and the host memory of CUDA and ROCm."""

_LEAST_NORMAL = 2.0**-126
"""Below this float32 is subnormal."""

Words = npt.NDArray[Any]
"""uint16 for float16 and bfloat16, uint32 for float32."""


class Logits(ABC):
    """Rows of logits.

    Attributes
    ----------
    source : one of `SOURCES`
    shape : (..., V), at least one dimension
    """

    source: str
    shape: tuple[int, ...]

    @property
    @final
    def format(self) -> str:
        """The format of the words that `bits` gives."""
        return "float32" if self.source == "float64" else self.source

    @property
    @abstractmethod
    def device(self) -> str:
        """Where the logits lie, "cpu" for the host's memory."""

    @abstractmethod
    def columns(self, entries: int) -> Logits:
        """Return the first ``entries`` columns."""

    @abstractmethod
    def bits(self, rows: npt.NDArray[np.int64]) -> Words:
        """Return rows (n,), numbered in C order, as words (n, V) in ``format``: C-contiguous and in this machine's byte order."""

    @abstractmethod
    def doubles(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return rows (n,), numbered in C order, as float64 (n, V), exactly."""

    @final
    def floats(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return rows (n,), numbered in C order, as float32 (n, V)."""
        words = self.bits(rows)
        if self.format == "bfloat16":
            words = words.astype(np.uint32) << np.uint32(16)
        return words.view(np.float16 if self.format == "float16" else np.float32).astype(np.float32, copy=False)


@final
class HostLogits(Logits):
    """Logits in the host's memory.

    Attributes
    ----------
    words : (..., V) uint16, uint32 or (float64) uint64, a view of the caller's memory with its strides and byte order
    """

    device = "cpu"

    def __init__(self, words: Words, source: str) -> None:
        self.words, self.source, self.shape = words, source, words.shape

    def columns(self, entries: int) -> HostLogits:
        return HostLogits(self.words[..., :entries], self.source)

    @property
    def matrix_entries(self) -> int:
        """Entries of the views (rows, V) that the rows lie in, each; all of them, where the rows lie in one."""
        words = self.words
        while words.ndim > 2 and not _is_matrix(words):
            words = words[0]
        return words.size

    @cached_property
    def matrices(self) -> list[Words]:
        """The rows as views (rows, V), in C order: one view where the strides of all leading dimensions allow it."""
        return _matrices(self.words)

    def _part(self, rows: npt.NDArray[np.int64]) -> Words:
        if self.words.ndim > 2 and not _is_matrix(self.words):
            return self.words[np.unravel_index(rows, self.shape[:-1])]
        if rows.size and rows[-1] - rows[0] == rows.size - 1:
            return self.matrices[0][rows[0] : rows[-1] + 1]
        return self.matrices[0][rows]

    def doubles(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        if self.source != "float64":
            return self.floats(rows).astype(np.float64)
        part = self._part(rows)
        values: npt.NDArray[np.float64] = part.view(part.dtype.str.replace("u", "f")).astype(np.float64)
        return values

    def bits(self, rows: npt.NDArray[np.int64]) -> Words:
        part = self._part(rows)
        if self.source == "float64":
            part = _rounded(part.view(part.dtype.str.replace("u", "f")))
        return np.ascontiguousarray(part, dtype=part.dtype.newbyteorder("="))


def _rounded(values: npt.NDArray[np.float64]) -> npt.NDArray[np.uint32]:
    """Return float64 as the bits of the nearest float32, ties to even; an infinity beyond its range."""
    with np.errstate(all="ignore"):
        words = values.astype(np.float32).view(np.uint32)
        # A thread may be set to flush subnormal numbers, of which these would become; in float64 they are normal.
        small = np.abs(values) < _LEAST_NORMAL
        if small.any():
            some = values[small]
            words[small] = np.rint(np.abs(some) * 2.0**149).astype(np.uint32) | np.signbit(some).astype(np.uint32) << np.uint32(31)
    return words


def _is_matrix(words: Words) -> bool:
    """Return whether the leading dimensions are one, as far as strides go."""
    dims = [(size, stride) for size, stride in zip(words.shape[:-1], words.strides[:-1], strict=True) if size != 1]
    return words.ndim == 2 or 0 in words.shape or all(outer[1] == inner[0] * inner[1] for outer, inner in pairwise(dims))


def _matrices(words: Words) -> list[Words]:
    if words.ndim == 1:
        return [words[None]]
    if _is_matrix(words):
        return [words.reshape(int(np.prod(words.shape[:-1], dtype=np.int64)), words.shape[-1])]
    return [matrix for part in words for matrix in _matrices(part)]


@final
class DeviceLogits(Logits):
    """Logits that PyTorch computes on where they lie; the CPU backend answers them with PyTorch's own integer operations.

    Parameters
    ----------
    tensor : torch.Tensor (..., V), floating; on a CPU too, which is slower than the native kernel
    """

    def __init__(self, tensor: Any) -> None:
        tensor = tensor.detach()
        self.source = _torch_source(tensor)
        self.tensor, self.shape = tensor, tuple(tensor.shape)

    @property
    def device(self) -> str:
        return str(self.tensor.device)

    def columns(self, entries: int) -> DeviceLogits:
        return DeviceLogits(self.tensor[..., :entries])

    def _part(self, rows: npt.NDArray[np.int64]) -> Any:
        import torch

        tensor = self.tensor[None] if self.tensor.ndim == 1 else self.tensor
        index = [torch.from_numpy(np.ascontiguousarray(part)).to(tensor.device) for part in np.unravel_index(rows, tuple(tensor.shape[:-1]))]
        return tensor[tuple(index)]

    def doubles(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        array: npt.NDArray[np.float64] = self._part(rows).cpu().double().numpy()
        return array

    def rows(self, rows: npt.NDArray[np.int64]) -> Any:
        """Return rows (n,), numbered in C order, as a float32 tensor (n, V) on the device."""
        import torch

        rows_of = self._part(rows)
        single = rows_of.to(torch.float32)
        if self.source != "float64":
            return single
        # As `_rounded`.
        small = rows_of.abs() < _LEAST_NORMAL
        tiny = (rows_of.abs() * 2.0**149).round().to(torch.int32) | torch.where(torch.signbit(rows_of), -(2**31), 0).to(torch.int32)
        return torch.where(small, tiny, single.view(torch.int32)).view(torch.float32)

    def bits(self, rows: npt.NDArray[np.int64]) -> Words:
        import torch

        part = self.rows(rows)
        if self.format != "float32":
            part = part.to(getattr(torch, self.format))
        return _torch_words(part.cpu())


def logits_of(value: Any) -> Logits:
    """Return what a caller gives as logits.

    NumPy arrays, CPU tensors of PyTorch, CPU arrays of JAX and whatever else offers ``__array__`` or ``__dlpack__`` are not copied; lists are
    read as float64. Tensors on a device stay there.

    Raises
    ------
    InvalidLogits
        for what is no array, no floating format, or cannot be read from here.
    """
    if isinstance(value, Logits):
        return value
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _of_tensor(value)
    if not isinstance(value, np.ndarray) and _elsewhere(value):
        try:
            import torch as library
        except ImportError:
            raise InvalidLogits(
                f"logits are a {type(value).__name__} in the memory of a device, which is read through PyTorch; "
                "pip install 'ebmhw[torch]', or give numpy.asarray(logits)"
            ) from None
        try:
            tensor = library.from_dlpack(value)
        except (RuntimeError, TypeError, ValueError, AssertionError, BufferError) as error:
            raise InvalidLogits(f"logits are a {type(value).__name__} that PyTorch cannot read ({error}); give numpy.asarray(logits)") from None
        return DeviceLogits(tensor)
    array = array_of(value, "logits")
    # What NumPy makes a box of: None, a mapping, the answer of a model, text.
    if not isinstance(value, (np.ndarray, list, tuple)) and array.ndim == 0 and array.dtype.kind in "OSU":
        remedy = "give its .logits" if hasattr(value, "logits") else _NUMBERS
        raise InvalidLogits(f"logits are a {type(value).__name__}; {remedy}")
    return _of_array(array)


def _of_array(array: npt.NDArray[Any]) -> HostLogits:
    source = array.dtype.name
    if source not in SOURCES:
        raise InvalidLogits(f"logits have dtype {shown(source)}; {_remedy(array.dtype)}")
    word = np.dtype(_WORDS[source])
    # ml_dtypes calls its own types native ("|" or "=").
    return HostLogits(array.view(word if array.dtype.isnative else word.newbyteorder()), source)


def _remedy(dtype: np.dtype[Any]) -> str:
    if dtype.name in ("uint16", "int16", "void16") and dtype.names is None:
        return f"if they are words of bfloat16, logits.view(ml_dtypes.bfloat16), else {_REMEDY}"
    # No number in any entry: structures and raw words, boxes of Python's objects, text.
    return _NUMBERS if dtype.kind in "OSUMm" or dtype.name.startswith("void") else _REMEDY


def _of_tensor(tensor: Any) -> Logits:
    if tensor.device.type != "cpu":
        return DeviceLogits(tensor)
    source = _torch_source(tensor)
    try:
        return HostLogits(_torch_words(tensor.detach().resolve_neg()), source)
    except (RuntimeError, TypeError, NotImplementedError) as error:
        raise InvalidLogits(f"logits are a {type(tensor).__name__} that cannot be read ({error}); give a plain tensor") from None


def _torch_source(tensor: Any) -> str:
    source = str(tensor.dtype).removeprefix("torch.")
    if source not in SOURCES:
        raise InvalidLogits(f"logits have dtype {shown(source)}; {_REMEDY}")
    if str(tensor.layout) != "torch.strided" or tensor.device.type == "meta":
        raise InvalidLogits(f"logits are a {tensor.layout} tensor on {tensor.device}; give one with plain entries, such as logits.to_dense()")
    return source


def _torch_words(tensor: Any) -> Words:
    """Return a CPU tensor as words, without a copy; NumPy does not know bfloat16."""
    import torch

    signed = {2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.element_size()]
    words: Words = tensor.view(signed).numpy()
    return words.view(f"u{tensor.element_size()}")


def _elsewhere(value: Any) -> bool:
    """Return whether an object says that its memory is a device's."""
    try:
        return int(value.__dlpack_device__()[0]) not in _DLPACK_CPU
    except Exception:  # no such method, or an array spread over several devices, which its __array__ gathers
        return False
