"""Rows of logits for tests: formats, families, special values, strides, choices and masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

FORMS = ("float16", "bfloat16", "float32", "float64")
FAMILIES = (
    "flat", "normal", "llm", "zipf", "masked", "special", "clips", "ties", "rounding", "tiny", "wide", "bits", "none", "one", "steps",
)  # fmt: skip
VOCABULARIES = (2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 257)

SPECIAL = (
    np.nan, np.inf, -np.inf, 0.0, -0.0, -1e30, 1e30, 65504.0, -65504.0, 2047.99, 2048.0, 2048.1, -2048.0, -2048.1, 1e-40, -1e-40, 1e-45,
    -3.4e38, 3.4e38, 3.4028236e38, -3.5e38, 1e300, -1e300, 2.0**-15, -(2.0**-15), 2.0**-16, 3 * 2.0**-15, 0.5, -0.5, 1.0, 100.0, -100.0,
)  # fmt: skip


def dtype_of(form: str) -> np.dtype[Any]:
    """The NumPy type of a format."""
    if form == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(form)


def random_rows(rng: np.random.Generator, family: str, rows: int, entries: int) -> np.ndarray:
    """float64 (rows, entries)."""
    shape = (rows, entries)
    x = rng.normal(0, float(rng.choice([0.01, 1, 3, 10])), shape)
    if family == "flat":
        x = np.broadcast_to(rng.normal(0, 10, (rows, 1)), shape).copy()
    elif family == "llm":
        x = rng.normal(-2, 2.5, shape) + np.where(rng.random(shape) < 4 / entries, rng.gumbel(10, 4, shape), 0)
    elif family == "zipf":
        x = -rng.uniform(0.5, 2) * np.log(rng.permuted(np.tile(np.arange(1.0, entries + 1), (rows, 1)), axis=1))
    elif family == "masked":
        x[rng.random(shape) < rng.choice([0.1, 0.9])] = -np.inf
    elif family == "special":
        x = np.where(rng.random(shape) < 0.5, rng.choice(SPECIAL, shape), x)
    elif family == "clips":
        x = rng.choice([2048, -2048], shape) + rng.normal(0, 1, shape)
    elif family == "ties":
        x = rng.choice([-1.5, 0.0, -0.0, 2.25], shape)
    elif family == "rounding":  # the halves between two xf, and their neighbours
        x = (rng.integers(-200000, 200000, shape) + 0.5) * 2.0**-14 + rng.choice([0, 1e-9, -1e-9], shape)
    elif family == "tiny":
        x = rng.normal(0, 1, shape) * 10.0 ** rng.integers(-46, -3, shape)
    elif family == "wide":
        x = rng.uniform(-400, 400, shape)
    elif family == "bits":
        with np.errstate(all="ignore"):
            x = rng.integers(0, 2**32, shape, dtype=np.uint32).view(np.float32).astype(np.float64)
    elif family == "none":
        x = rng.choice([-np.inf, np.nan, np.inf], shape)
    elif family == "one":
        x = np.full(shape, -np.inf)
        x[np.arange(rows), rng.integers(0, entries, rows)] = rng.normal(0, 5, rows)
    elif family == "steps":  # about one factor of two an entry: the ring of bins and its edge
        x = rng.permuted(np.tile(np.arange(entries) % 80 * -np.log(2), (rows, 1)), axis=1) + rng.normal(0, 1e-4, shape)
    return x


def as_form(x: np.ndarray, form: str) -> np.ndarray:
    """Float64 in a format, rounded; NaNs as they come."""
    with np.errstate(all="ignore"):
        return x.astype(dtype_of(form))


def words_of(x: np.ndarray) -> np.ndarray:
    """An array of a format as unsigned words."""
    return np.ascontiguousarray(x).view(f"u{x.dtype.itemsize}")


@dataclass
class PhiCase:
    """Arguments of one call: logits (..., T, V) with strides of some kind."""

    logits: np.ndarray
    form: str
    options: dict[str, Any]
    label: str


def strided(rng: np.random.Generator, x: np.ndarray, layout: str) -> np.ndarray:
    """The same numbers with other strides, or in the other byte order."""
    if layout == "fortran":
        return np.asfortranarray(x)
    if layout == "negative":
        return np.ascontiguousarray(np.flip(x))[tuple(slice(None, None, -1) for _ in x.shape)]
    if layout == "step":
        wide = np.zeros((*x.shape[:-1], 3 * x.shape[-1]), dtype=x.dtype)
        wide[..., 1::3] = x
        return wide[..., 1::3]
    if layout == "rows":
        tall = np.zeros((*x.shape[:-1], x.shape[-1] + 5), dtype=x.dtype)
        tall[..., 2 : 2 + x.shape[-1]] = x
        return tall[..., 2 : 2 + x.shape[-1]]
    if layout == "swapped" and x.ndim > 2:
        return np.ascontiguousarray(x.swapaxes(0, 1)).swapaxes(0, 1)
    if layout == "broadcast":
        return np.broadcast_to(x[..., :1, :], x.shape) if x.ndim > 1 else x
    if layout == "unaligned" and x.dtype.kind == "f":
        raw = np.zeros(x.nbytes + 1, dtype=np.uint8)
        raw[1:] = np.frombuffer(x.tobytes(), dtype=np.uint8)
        return raw[1:].view(x.dtype).reshape(x.shape)
    if layout == "foreign" and x.dtype.kind == "f":
        return x.astype(x.dtype.newbyteorder())
    return x


LAYOUTS = ("c", "fortran", "negative", "step", "rows", "swapped", "broadcast", "unaligned", "foreign")


@st.composite
def phi_cases(draw: st.DrawFn, most_rows: int = 12, most_entries: int = 400, forms: tuple[str, ...] = FORMS, unaligned: bool = True) -> PhiCase:
    """Whole calls of `phi`; every argument that decides bits."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    form, family = draw(st.sampled_from(forms)), draw(st.sampled_from(FAMILIES))
    layout = draw(st.sampled_from([one for one in LAYOUTS if unaligned or one != "unaligned"]))
    entries = draw(st.one_of(st.sampled_from([v for v in VOCABULARIES if v <= most_entries]), st.integers(2, most_entries)))
    shape = draw(st.sampled_from([(), (1,), (3,), (most_rows,), (2, 3), (2, 1, 2), (1, 1)]))
    rows = int(np.prod(shape))
    width = entries + draw(st.sampled_from([0, 0, 1, 9]))
    x = strided(rng, as_form(random_rows(rng, family, rows, width), form).reshape(*shape, width), layout)
    options: dict[str, Any] = {}
    if width > entries or rng.random() < 0.2:
        options["vocab_size"] = entries
    if rng.random() < 0.7:
        chosen = rng.integers(0, entries, shape)
        options["chosen"] = np.where(rng.random(shape) < 0.2, -100, chosen).astype(rng.choice([np.int64, np.int32]))
    if rng.random() < 0.4:
        options["mask"] = rng.random(shape) < rng.choice([0.0, 0.5, 0.9])
    return PhiCase(x, form, options, f"{form} {family} {layout} {shape} {width} {sorted(options)}")
