"""The phi unit's native kernel against the golden model: formats, layouts, families of rows, shards, threads, sanitizers."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phi_judge import FAMILIES, LAYOUTS, SPECIALS, as_form, assert_as_judged, instruction_sets, laid_out, row_values, rows_of

import ebmhw
from ebmhw.contract.phi_formats import ENTRIES_LIMIT, EXPONENT_MULTIPLIER, EXPONENT_SHIFT, NO_POSITION, NO_Z, inverse_log2
from ebmhw.contract.phi_tables import WT
from ebmhw.errors import BackendUnavailable
from ebmhw.golden import phi as golden
from ebmhw.native import phi
from ebmhw.native.phi import FORMS, RECORD, PhiRows

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "contract_vectors.json").read_text())["phi"]
PACKAGE = Path(ebmhw.__file__).parent


# --- against the golden model


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    form=st.sampled_from(FORMS),
    entries=st.one_of(st.integers(1, 300), st.sampled_from([383, 384, 385, 512, 1000, 2000])),
    rows=st.integers(1, 3),
    exponent=st.floats(-3, 3),
    layout=st.sampled_from(LAYOUTS),
    partial=st.booleans(),
    first_entry=st.sampled_from([0, 1, 128, ENTRIES_LIMIT - 2000]),
    choices=st.booleans(),
)
def test_rows(
    family: str, seed: int, form: str, entries: int, rows: int, exponent: float, layout: str, partial: bool, first_entry: int, choices: bool
) -> None:
    rng = np.random.default_rng(seed)
    logits = laid_out(as_form(row_values(rng, family, rows, entries, 10.0**exponent), form), layout)
    chosen = rng.integers(first_entry - 3, first_entry + entries + 3, rows) if choices else None
    assert_as_judged(logits, form, chosen, first_entry, partial or entries < 2)


@settings(max_examples=60)
@given(
    st.lists(st.one_of(st.sampled_from(SPECIALS), st.floats(width=32)), min_size=2, max_size=40),
    st.lists(st.sampled_from([0.0, 1.5, -40.0, np.nan, -np.inf]), max_size=2),
    st.integers(0, 300),
)
def test_special_numbers_among_others(numbers: list[float], padding: list[float], count: int) -> None:
    row = [*numbers, *(value for value in padding for _ in range(count))]
    for values in (row, row[::-1]):
        assert_as_judged(as_form(np.array([values]), "float32"), "float32", np.array([3]))


@pytest.mark.parametrize("form", ["float16", "bfloat16"])
def test_every_number_of_16_bits(form: str) -> None:
    every = np.arange(1 << 16, dtype=np.uint16)
    dtype = np.uint16 if form == "bfloat16" else np.float16
    assert_as_judged(every.view(dtype).reshape(-1, 16), form, np.full(1 << 12, 7), partial=True)
    # Neighbours in value fill whole blocks that one window holds, which take the short way.
    values = (every.astype(np.uint32) << 16).view(np.float32) if form == "bfloat16" else every.view(np.float16).astype(np.float32)
    finite = every[np.isfinite(values)]
    ordered = finite[np.argsort(values[np.isfinite(values)], kind="stable")]
    assert_as_judged(ordered[: len(ordered) // 128 * 128].view(dtype).reshape(-1, 128), form, partial=True)


@pytest.mark.slow
def test_every_rounded_logit() -> None:
    xf = np.arange(-(2**25) - 2**18, 2**25 + 2**18)
    for part in xf.reshape(-1, ENTRIES_LIMIT):
        assert_as_judged((part * 2.0**-14).astype(np.float32)[None, :], "float32", partial=True)


def test_rounding_of_logits_and_exponents() -> None:
    steps = np.arange(-(2**12), 2**12)
    for unit in (2.0**-15, 2.0**-16, 8.0, 4.0, 2.0**-5):
        values = (steps * unit).astype(np.float32)
        around = np.stack([values, np.nextafter(values, np.float32(np.inf)), np.nextafter(values, np.float32(-np.inf))], axis=-1)
        assert_as_judged(around.reshape(-1, 128), "float32", partial=True)


@pytest.mark.parametrize("k", [-1400, -64, -1, 0, 1, 63, 64, 900])
def test_the_edge_of_the_window(k: int) -> None:
    # The least xf whose z is (k - 63) 2^10.
    low = -((-(k - 63) * 2 ** (10 + EXPONENT_SHIFT) + 2 ** (EXPONENT_SHIFT - 1)) // EXPONENT_MULTIPLIER)
    for highest in (k * np.log(2) + 1e-3, (k + 1) * np.log(2) - 1e-3):
        rows = np.full((9, 256), highest, dtype=np.float32)
        # xf of the entry at 200, one at a time; the block of 128 before it has the largest entry, or has none as large.
        rows[:, 200] = (low + np.arange(-4, 5)) * 2.0**-14
        assert_as_judged(rows, "float32", np.full(9, 200), partial=True)
        rows[:, :128] -= 2.0
        assert_as_judged(rows, "float32", np.full(9, 200), partial=True)


def test_float64_is_rounded_to_the_nearest_float32() -> None:
    exact = np.float32(3.0) + np.arange(256) * np.spacing(np.float32(3.0)) / 4
    assert_as_judged(exact.reshape(2, 128).astype(np.float64), "float64", np.array([5, 200]))
    huge = np.array([[1e39, -1e39, 3.4028235677973366e38, 3.4028235677973362e38, 1e-60, 5e-324, np.nan, 4.0]])
    assert_as_judged(huge, "float64", np.array([3]))


@pytest.mark.parametrize("number", range(len(VECTORS)))
def test_contract_vectors(number: int) -> None:
    vector = VECTORS[number]
    logits = np.array([int(bits, 16) for bits in vector["x"]], dtype=np.uint32).view(np.float32)[None, :]
    for instruction_set in instruction_sets():
        rows = rows_of(instruction_set, logits, "float32", inverse_log2(vector["V"]))
        rows.run(0, 1)
        found = {key: int(rows.records[name][0]) for key, name in (("log2Z", "log2_z"), ("H", "entropy"))}
        found |= {name: int(rows.records[name][0]) for name in ("valid", "masked", "excluded", "phi")}
        assert found == {name: vector[name] for name in found}


def largest_weight() -> float:
    """Return a logit whose weight is the largest of all."""
    f = max(range(len(WT)), key=lambda index: WT[index])
    return (10 * 1024 + f) / 1024 * np.log(2)


@pytest.mark.parametrize("entries", [65535, 65536, 65537, 131073, ENTRIES_LIMIT])
def test_sums_of_equal_entries_do_not_overflow(entries: int) -> None:
    # Each of four lanes adds 2^14 weights of 18 bits in 32 bits before it is emptied.
    row = np.full((1, entries), largest_weight(), dtype=np.float32)
    row[0, -1] = -5.0
    (weight,) = {int(value) for value in WT if value == max(WT)}
    assert_as_judged(row, "float32", np.array([entries - 1]), partial=True)
    rows = PhiRows(row, "float32", partial=True)
    rows.run(0, 1)
    assert rows.s is not None and rows.s[0, 0] == weight * (entries - 1)


@pytest.mark.parametrize("family", ["normal", "masked", "climbing", "two values"])
def test_large_vocabularies(family: str) -> None:
    values = row_values(np.random.default_rng(5), family, 1, 151_936, 2.5)
    assert_as_judged(as_form(values, "float32"), "float32", np.array([77]))


@pytest.mark.parametrize("position", [0, 1, 127, 128, 129, 255, 256, 299])
def test_the_largest_wherever_it_stands(position: int) -> None:
    for second in (0, 1, 126, 127, 128, 200, 298):
        for value in (5.0, 5.00001, 4.0, -1.0):
            row = np.linspace(-2, -1, 300, dtype=np.float32)
            row[second], row[position] = value, 5.0
            assert_as_judged(row[None, :], "float32", np.array([position]))


def test_rows_that_broadcast() -> None:
    row = np.random.default_rng(3).normal(0, 3, 300).astype(np.float32)
    assert_as_judged(np.broadcast_to(row, (3, 300)), "float32")
    assert_as_judged(np.broadcast_to(row[:3, None], (3, 200)), "float32")


def test_empty_rows_and_single_entries() -> None:
    rows = PhiRows(np.array([[-np.inf, np.nan], [np.nan, -1.0]], dtype=np.float32), "float32", inverse_log2(2), np.array([0, 0]))
    rows.run(0, 2)
    empty, single = rows.records
    assert empty["argmax"] == empty["chosen"] == single["chosen"] == NO_POSITION and empty["z2"] == 0
    assert single["z2"] == NO_Z and single["argmax"] == 1
    PhiRows(np.empty((0, 5), dtype=np.float32), "float32").run(0, 0)


# --- how it is called


def test_records_have_64_bytes_in_the_order_of_the_contract() -> None:
    assert RECORD.itemsize == 64 and RECORD.names is not None
    assert RECORD.names[1:] == golden.PhiRecord._fields


def test_threads_may_share_rows() -> None:
    logits = np.random.default_rng(8).normal(0, 3, (500, 700)).astype(np.float32)
    whole, shared = (PhiRows(logits, "float32", inverse_log2(700)) for _ in range(2))
    whole.run(0, 500)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda start: shared.run(start, start + 20), range(0, 500, 20)))
    assert shared.records.tobytes() == whole.records.tobytes()


def test_a_call_does_its_rows_only() -> None:
    rows = PhiRows(np.ones((10, 300), dtype=np.float32), "float32", inverse_log2(300))
    rows.run(3, 5)
    assert np.flatnonzero(rows.records["valid"]).tolist() == [3, 4]


def test_slices_are_tens_of_milliseconds() -> None:
    assert PhiRows(np.zeros((1, 300), dtype=np.float32), "float32").slice_rows == 50_000
    assert PhiRows(np.broadcast_to(np.float32(0), (1, ENTRIES_LIMIT)), "float32").slice_rows == 28


def test_what_cannot_be_read_is_refused() -> None:
    ones = np.ones((2, 8), dtype=np.float32)
    for logits, form in ((ones[0], "float32"), (ones[:, :0], "float32"), (ones, "float16"), (ones.astype(">f4"), "float32")):
        with pytest.raises(ValueError, match="are no rows of float"):
            PhiRows(logits, form)
    with pytest.raises(ValueError, match="not one position for each of 2 rows"):
        PhiRows(ones, "float32", chosen=[1, 2, 3])
    with pytest.raises(ValueError, match="not among 2"):
        PhiRows(ones, "float32").run(1, 3)


def test_a_kernel_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        _name = "_kernel.so"

    monkeypatch.setattr(phi, "library", Other)
    phi._kernel.cache_clear()
    with pytest.raises(BackendUnavailable, match="of another version than the package"):
        PhiRows(np.ones((1, 2), dtype=np.float32), "float32")
    phi._kernel.cache_clear()


@pytest.mark.skipif(platform.machine() != "x86_64" or not sys.platform.startswith("linux"), reason="sets modes as glibc lays them out on x86-64")
def test_modes_of_the_calling_thread_do_not_matter() -> None:
    libm = ctypes.CDLL("libm.so.6")
    usual, strange = (ctypes.c_uint8 * 32)(), (ctypes.c_uint8 * 32)()
    assert libm.fegetenv(usual) == 0
    ctypes.memmove(strange, usual, 32)
    # MXCSR: flush subnormal results and operands to zero, round up.
    strange_bits = int.from_bytes(bytes(usual[28:32]), "little") | 0x8040 | 0x4000
    strange[28:32] = list(strange_bits.to_bytes(4, "little"))
    tiny = np.array([1e-45, 3e-45, -1e-45, 2e-45] * 64, dtype=np.float32)
    logits = np.stack([tiny.astype(np.float64), np.linspace(1, 2, 256) + 1e-9])
    for instruction_set in instruction_sets():
        wanted = rows_of(instruction_set, logits, "float64", inverse_log2(256))
        found = rows_of(instruction_set, logits, "float64", inverse_log2(256))
        wanted.run(0, 2)
        assert wanted.records["argmax"][0] == 1
        assert libm.fesetenv(strange) == 0
        try:
            found.run(0, 2)
            kept = (ctypes.c_uint8 * 32)()
            assert libm.fegetenv(kept) == 0
        finally:
            libm.fesetenv(usual)
        assert found.records.tobytes() == wanted.records.tobytes()
        assert int.from_bytes(bytes(kept[28:32]), "little") & 0xFFC0 == strange_bits & 0xFFC0


# --- sanitizers

SANITIZED = """
    import ctypes, os
    import numpy as np
    import phi_judge
    from ebmhw.native.phi import FORMS

    # Memory of exactly the size asked for, so that the sanitizer's red zone starts right behind it.
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    def exact(array):
        at = libc.malloc(ctypes.c_size_t(array.nbytes))
        made = np.frombuffer((ctypes.c_uint8 * array.nbytes).from_address(at), dtype=array.dtype).reshape(array.shape)
        made[:] = array
        return made

    rng = np.random.default_rng(12)
    entries = 0
    for family in phi_judge.FAMILIES:
        for form in FORMS:
            for size in (1, 2, 127, 128, 129, 300):
                logits = exact(phi_judge.as_form(phi_judge.row_values(rng, family, 2, size, 3.0), form))
                phi_judge.assert_as_judged(logits, form, rng.integers(-1, size + 1, 2), partial=size == 1)
                phi_judge.assert_as_judged(logits[::-1, ::-1], form, partial=True)
                entries += logits.size
    print("clean", entries)
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcc") is None or not sys.platform.startswith("linux"), reason="needs gcc's sanitizers")
def test_kernel_under_sanitizers(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "ebmhw", ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    built = tmp_path / "ebmhw" / "native" / "_kernel.abi3.so"
    # The flags of the real build: what they define (such as -fwrapv) is no fault.
    flags = [flag for flag in re.findall(r'"(-[fWs][^"]*)"', (Path(__file__).parents[2] / "setup.py").read_text()) if "visibility" not in flag]
    compiled = subprocess.run(
        [
            *("gcc", "-shared", "-fPIC", *flags, "-O1", "-g", "-DPy_LIMITED_API=0x030A0000"),
            *("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", f"-I{sysconfig.get_paths()['include']}"),
            *(*(str(PACKAGE / "native" / name) for name in ("kernel.c", "phi.c")), "-o", str(built)),
        ],
        capture_output=True,
        text=True,
    )
    if compiled.returncode:
        pytest.skip(f"gcc does not build the kernel with sanitizers here: {compiled.stderr[-300:]}")
    preload = [
        subprocess.run(["gcc", f"-print-file-name={lib}"], capture_output=True, text=True).stdout.strip() for lib in ("libasan.so", "libubsan.so")
    ]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SANITIZED)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parent)]),
            "LD_PRELOAD": " ".join(preload),
            "ASAN_OPTIONS": "detect_leaks=0",
            "OPENBLAS_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0 and done.stdout.startswith("clean"), done.stderr[-2000:]
    print(f"under sanitizers: {done.stdout}")
