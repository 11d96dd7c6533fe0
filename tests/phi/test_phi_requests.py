"""What may be given as logits, chosen, vocab_size and mask, what is refused and how it is said, and that nothing is copied."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from phi_cases import LAYOUTS, strided
from phi_conformance import assert_same_records, judge

from ebmhw.backends import SamplerBackend, get_backend
from ebmhw.backends.capabilities import Capabilities
from ebmhw.backends.draws import Draws
from ebmhw.backends.request import RunRequest
from ebmhw.backends.stop import Stop
from ebmhw.errors import EbmhwError, InvalidLogits
from ebmhw.phi import PARTIAL, RECORD, PhiPartials, PhiRecords
from ebmhw.phi.logits import HostLogits, logits_of
from ebmhw.phi.request import PhiRequest, make_phi_request

X = np.random.default_rng(7).normal(0, 3, (4, 9)).astype(np.float32)
NUMBERS = r"give an array \(\.\.\., T, V\) of numbers in float16"


class Offers:
    """Something that only offers ``__array__``."""

    def __init__(self, array: np.ndarray) -> None:
        self.given = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.given


class OffersDlpack:
    """Something that only offers DLPack."""

    def __init__(self, array: np.ndarray) -> None:
        self.given = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.given.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.given.__dlpack_device__()


def test_kinds_of_arrays_give_the_same_records() -> None:
    backend = get_backend("golden")
    wanted = backend.phi(X)
    for value in (X.tolist(), [row.tolist() for row in X], list(X), tuple(X), Offers(X), OffersDlpack(X), X.astype(np.float64)):
        assert_same_records(backend.phi(value), wanted, type(value).__name__)
    jax = pytest.importorskip("jax")
    assert_same_records(backend.phi(jax.numpy.asarray(X)), wanted, "jax")
    half = jax.numpy.asarray(X, dtype=jax.numpy.bfloat16)
    assert_same_records(backend.phi(half), backend.phi(np.asarray(half)), "jax bfloat16")
    assert backend.phi([[1, 2, 3]]) == backend.phi(np.array([[1.0, 2.0, 3.0]]))


def test_measuring_on_the_cpu_loads_no_extra() -> None:
    code = "import sys, numpy, ebmhw; ebmhw.get_backend('cpu').phi(numpy.zeros((2, 5)), chosen=[1, 2]); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout.split()
    assert not set(loaded) & {"torch", "jax", "ml_dtypes", "matplotlib", "safetensors", "ebmhw.golden", "ebmhw.phi.device"}


def test_arrays_are_not_copied() -> None:
    for layout in LAYOUTS:
        array = strided(np.random.default_rng(0), X, layout)
        words = logits_of(array).words
        assert np.shares_memory(words, array) and words.strides == array.strides, layout
    assert np.shares_memory(logits_of(Offers(X)).words, X)
    assert np.shares_memory(logits_of(OffersDlpack(X)).words, X)
    request = make_phi_request(X, None, 8, None, Stop())
    assert request.bits(1, 3).tolist() == X[1:3, :8].view(np.uint32).tolist()
    assert np.shares_memory(make_phi_request(X, None, None, None, Stop()).bits(1, 3), X)


def test_a_jax_array_on_the_cpu_is_not_copied() -> None:
    jax = pytest.importorskip("jax")
    array = jax.numpy.asarray(X)
    assert np.shares_memory(logits_of(array).words, np.asarray(array))


def test_large_logits_take_no_memory_of_their_own() -> None:
    backend = get_backend("cpu", threads=1)
    x = np.zeros((64, 32768), dtype=np.float32)
    backend.phi(x[:1])
    for value in (x, x[:, ::-1], x.reshape(2, 32, 32768).swapaxes(0, 1)):
        tracemalloc.start()
        backend.phi(value)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < x.nbytes / 50


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"logits": 1.0}, r"logits are a single number; give \(V,\), \(T, V\)"),
        ({"logits": [[1.0], [2.0]]}, r"logits of shape \(2, 1\) have 1 entries a row, 2 to 524288 are measured"),
        ({"logits": []}, r"logits of shape \(0,\) have 0 entries"),
        ({"logits": np.zeros((1, 2**19 + 1), np.float16)}, "have 524289 entries a row, 2 to 524288 are measured; give vocab_size if the rest"),
        ({"logits": [[1.0, 2.0], [3.0]]}, "logits are a list that NumPy cannot read"),
        ({"logits": np.zeros((2, 3), np.int32)}, "logits have dtype 'int32'; give float16, bfloat16, float32 or float64"),
        ({"logits": np.zeros((2, 3), np.complex64)}, "dtype 'complex64'"),
        ({"logits": np.zeros((2, 3), bool)}, "dtype 'bool'"),
        ({"logits": np.zeros((2, 3), np.uint16)}, r"'uint16'; if they are words of bfloat16, logits.view\(ml_dtypes.bfloat16\), else give float16"),
        ({"logits": np.zeros((2, 3), np.int16)}, "'int16'; if they are words of bfloat16"),
        ({"logits": np.zeros((2, 3), "V2")}, "'void16'; if they are words of bfloat16"),
        ({"logits": np.zeros((2, 3), object)}, rf"dtype 'object'; {NUMBERS}"),
        ({"logits": np.zeros((2, 3), "S4")}, rf"dtype 'bytes32'; {NUMBERS}"),
        ({"logits": [["1", "2"]]}, rf"dtype 'str32'; {NUMBERS}"),
        ({"logits": "logits"}, rf"logits are a str; {NUMBERS}"),
        ({"logits": None}, rf"logits are a NoneType; {NUMBERS}"),
        ({"logits": {"logits": X}}, rf"logits are a dict; {NUMBERS}"),
        ({"logits": SimpleNamespace(logits=X)}, "logits are a SimpleNamespace; give its .logits"),
        ({"logits": [[True, False]]}, "dtype 'bool'"),
        ({"logits": np.zeros((2, 3), [("a", "f4")])}, rf"dtype 'void32'; {NUMBERS}"),
        ({"logits": np.ma.masked_array([[1.0, 2.0]], [[True, False]])}, r"logits are a masked array; give logits.filled\(-numpy.inf\)"),
        ({"vocab_size": 10}, r"vocab_size is 10; give a whole number from 2 to 9 \(each row has 9 entries\)"),
        ({"vocab_size": 1}, "vocab_size is 1; give a whole number from 2"),
        ({"vocab_size": 3.0}, "vocab_size is 3.0"),
        ({"vocab_size": True}, "vocab_size is True"),
        ({"vocab_size": "9"}, "vocab_size is '9'"),
        ({"chosen": [0, 1, 2, 9]}, "chosen of row 3 is 9; give a token id from 0 to 8, or -100 for none"),
        ({"chosen": [0, -1, 2, 3]}, "chosen of row 1 is -1; give a token id"),
        ({"chosen": [0, 8, 2, 3], "vocab_size": 8}, "chosen of row 1 is 8; give a token id from 0 to 7"),
        ({"chosen": np.array([0, 1, 2, 2**64 - 100], np.uint64)}, "chosen of row 3 is 18446744073709551516"),
        ({"chosen": [0.0, 1.0, 2.0, 3.0]}, "chosen has dtype float64; give token ids as integers"),
        ({"chosen": [True] * 4}, "chosen has dtype bool"),
        ({"chosen": [0, 1, 2]}, r"chosen has shape \(3,\), but the logits have rows of shape \(4,\)"),
        ({"chosen": 3}, r"chosen has shape \(\)"),
        ({"chosen": [[0, 1], [2]]}, "chosen is a list that NumPy cannot read"),
        ({"mask": [True, True, False]}, r"mask has shape \(3,\), but the logits have rows of shape \(4,\)"),
        ({"mask": [0, 1, 2, 1]}, "mask holds 2; give True"),
        ({"mask": [0.0, 1.0, 1.0, 1.0]}, "mask holds float64; give True"),
        ({"mask": np.ma.masked_array([True] * 4)}, r"mask is a masked array; give mask.filled\(False\)"),
        ({"chosen": np.ma.masked_array([1] * 4)}, r"chosen is a masked array; give chosen.filled\(-100\)"),
    ],
)  # fmt: skip
def test_what_is_refused(options: dict[str, Any], text: str) -> None:
    for backend in (get_backend("golden"), get_backend("cpu")):
        with pytest.raises(InvalidLogits, match=text) as caught:
            backend.phi(**{"logits": X} | options)
        assert caught.value.code == "invalid-logits" and isinstance(caught.value, (EbmhwError, ValueError))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"first_entry": None}, "first_entry is None; give a whole number from 0 to 524287"),
        ({"first_entry": -1}, "first_entry is -1; give a whole number from 0 to 524287"),
        ({"first_entry": 2**19 - 8}, r"a shard of shape \(4, 9\) that starts at entry 524280 ends at 524289; give at least one entry, and none from"),
        ({"logits": np.zeros((4, 0), np.float32)}, "ends at 0; give at least one entry"),
        ({"vocab_size": 20, "first_entry": 20}, r"is 20; give a whole number from 0 to 19 \(leave out shards that hold nothing but padding"),
        ({"vocab_size": 2**19 + 1}, "vocab_size is 524289"),
        ({"chosen": [0, 0, 0, 2**19]}, "chosen of row 3 is 524288; give a token id from 0 to 524287"),
        ({"chosen": [0, 0, 0, 20], "vocab_size": 20}, "chosen of row 3 is 20; give a token id from 0 to 19"),
    ],
)  # fmt: skip
def test_what_is_refused_of_shards(options: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidLogits, match=text):
        get_backend("golden").phi_partial(**{"logits": X, "first_entry": 0} | options)


def test_the_place_of_a_bad_choice_has_all_dimensions() -> None:
    with pytest.raises(InvalidLogits, match=r"chosen of row \(1, 0\) is 9"):
        get_backend("golden").phi(X.reshape(2, 2, 9), chosen=[[0, 1], [9, 0]])
    with pytest.raises(InvalidLogits, match="chosen is 9; give"):
        get_backend("golden").phi(X[0], chosen=9)


def test_padding_of_the_last_shard_is_ignored() -> None:
    backend = get_backend("golden")
    shards = [backend.phi_partial(X[:, :5], 0, vocab_size=8), backend.phi_partial(X[:, 5:], 5, vocab_size=8)]
    assert PhiPartials.merge(shards).records(8) == backend.phi(X, vocab_size=8)


def test_a_shard_of_one_entry_and_one_that_masks_all() -> None:
    x = X.copy()
    x[:, 3:7] = -np.inf
    shards = [judge().phi_partial(x[:, a:b], first_entry=a) for a, b in ((7, 9), (3, 7), (0, 1), (1, 3))]
    assert PhiPartials.merge(shards).records() == judge().phi(x)


class Recording(SamplerBackend):
    """Hands requests to a function."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    @property
    def name(self) -> str:
        return "recording"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(("phi",), 1, 1, 1, 8, 8, ())

    def _execute(self, request: RunRequest) -> Draws:
        raise AssertionError

    def _phi(self, request: PhiRequest) -> np.ndarray:
        return self.answer(request)


def test_a_hook_sees_only_the_rows_that_are_kept() -> None:
    seen = []

    def answer(request: PhiRequest) -> np.ndarray:
        seen.append(request)
        records = np.zeros(request.count, dtype=PARTIAL if request.partial else RECORD)
        records["valid"], records["job_id"] = 1, request.token_ids
        if request.partial:
            records["flags"] = 32
            records["sums"][:, 0, 0] = 1 << 17
        return records

    backend = Recording(answer)
    r = backend.phi(X.astype(np.float64), mask=[1, 0, 0, 1], chosen=[3, 9, 9, -100], vocab_size=6)
    (request,) = seen
    assert (request.count, request.entries, request.format, request.partial, request.first_entry) == (2, 6, "float32", False, 0)
    assert request.token_ids.tolist() == [0, 3] and request.chosen.tolist() == [3, 0xFFFFFFFF] and request.inverse == round(2**24 / np.log2(6))
    assert np.array_equal(request.bits(0, 2).view(np.float32), X[[0, 3], :6]) and request.bits(1, 1).shape == (0, 6)
    assert r.mask.tolist() == [True, False, False, True] and r.token_id.tolist() == [0, 1, 2, 3] and r.info["device"] == "cpu"
    backend.phi(X, mask=[0, 0, 0, 0])
    assert len(seen) == 1
    backend.phi_partial(X, 20, chosen=[600, 20, 28, 3])
    assert seen[1].chosen.tolist() == [600, 20, 28, 3] and seen[1].inverse == 0 and seen[1].first_entry == 20


@pytest.mark.parametrize("name", ["golden", "cpu"])
def test_ctrl_c_ends_a_measurement(name: str) -> None:
    backend = get_backend(name)
    x = np.broadcast_to(np.zeros((1, 1 << 17), np.float32), (200_000, 1 << 17))
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        backend.phi(x)
    assert time.monotonic() - started < 20
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert backend.phi(x[:1]).phi_q20[0] <= 1


def test_rows_beyond_what_ids_can_number_are_refused() -> None:
    with pytest.raises(InvalidLogits, match="rows or more; give them in parts"):
        get_backend("golden").phi(np.broadcast_to(np.float16(0), (2**32, 2)))


def test_matrices_are_views_in_order() -> None:
    x = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    for array, count in ((x, 1), (x[..., ::2], 1), (x[::-1, ::-1, ::-1], 1), (x[:, :, 1:], 6), (x[:, ::2, :], 4), (x.transpose(1, 0, 2, 3), 6)):
        matrices = HostLogits(array.view(np.uint32), "float32").matrices
        assert len(matrices) == count
        assert all(np.shares_memory(matrix, x) for matrix in matrices)
        assert np.array_equal(np.concatenate(matrices), array.view(np.uint32).reshape(-1, array.shape[-1]))


@pytest.mark.parametrize("entries", [1, 1 << 40])
def test_rows_in_many_places_are_measured_in_place_or_copied(entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ebmhw.phi.host._MATRIX_ENTRIES", entries)
    x = np.random.default_rng(3).normal(0, 4, (5, 4, 3, 30)).astype(np.float32)[:, 1:, ::-1]
    mask = np.random.default_rng(4).random(x.shape[:-1]) < 0.7
    chosen = np.random.default_rng(5).integers(0, 30, x.shape[:-1])
    backend = get_backend("cpu")
    assert backend.phi(x, chosen=chosen, mask=mask) == backend.phi(x.copy(), chosen=chosen, mask=mask)


def test_float64_becomes_the_nearest_float32() -> None:
    some = np.random.default_rng(6)
    least = np.ldexp(some.integers(0, 1 << 26, 2000).astype(np.float64), -152)  # subnormal in float32, with ties
    x = np.concatenate([least, -least, some.normal(0, 1e3, 500), [0.0, -0.0, 1e300, -1e300, np.inf, np.nan, 2.0**-126, 2.0**-126 - 2.0**-152]])
    with np.errstate(over="ignore"):
        due = x.astype(np.float32).view(np.uint32)
    assert np.array_equal(HostLogits(x[None].view(np.uint64), "float64").bits(np.array([0]))[0], due)


def test_records_do_not_depend_on_how_rows_are_batched() -> None:
    backend = get_backend("cpu", threads=2)
    x = np.random.default_rng(2).normal(0, 3, (3, 5, 70)).astype(np.float16)
    whole = backend.phi(x)
    single = [backend.phi(row).array for row in x.reshape(15, 70)]
    again = np.array(single).reshape(3, 5)
    again["job_id"] = np.arange(15).reshape(3, 5)
    assert PhiRecords(again) == whole
