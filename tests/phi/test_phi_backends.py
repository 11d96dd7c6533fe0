"""Backends with a phi unit on the host, by the suite that all share."""

from __future__ import annotations

import numpy as np
import pytest
from phi_conformance import PhiConformance, assert_same_records, judge

from ebmhw.backends import SamplerBackend, get_backend
from ebmhw.backends.capabilities import Capabilities
from ebmhw.backends.draws import Draws
from ebmhw.backends.request import RunRequest
from ebmhw.errors import NotSupported
from ebmhw.golden import phi as golden
from ebmhw.phi import RECORD
from ebmhw.phi.request import PhiRequest


class TestGoldenNumpy(PhiConformance):
    examples = 40
    most_entries = 130
    short_rows = 6000

    def make(self) -> SamplerBackend:
        return get_backend("golden")


class TestCpu(PhiConformance):
    examples = 150
    short_rows = 40_000
    most_entries = 1200
    most_rows = 40

    def make(self) -> SamplerBackend:
        return get_backend("cpu", threads=1)


class TestCpuThreads(PhiConformance):
    examples = 10
    most_entries = 9000
    most_rows = 40
    reference_entries = 0

    def make(self) -> SamplerBackend:
        return get_backend("cpu", threads=3)


# Under jax every shape is compiled anew, a second or two each.


@pytest.mark.slow
class TestGoldenJax(PhiConformance):
    examples = 5
    most_entries = 130
    short_rows = 6000

    def make(self) -> SamplerBackend:
        pytest.importorskip("jax")
        return get_backend("golden", arrays="jax")


def test_jax_equals_numpy() -> None:
    pytest.importorskip("jax")
    rng = np.random.default_rng(5)
    x = rng.normal(0, 4, (6, 300)).astype(np.float32)
    x[1, ::3], x[2], x[3, 5], x[4, 7], x[5, 1:] = -np.inf, np.nan, np.inf, 1e30, -1e30
    chosen = rng.integers(0, 300, 6)
    jax = get_backend("golden", arrays="jax")
    for form in (np.float32, np.float16):
        with np.errstate(over="ignore"):
            y = x.astype(form)
        assert_same_records(jax.phi(y, chosen=chosen), judge().phi(y, chosen=chosen), str(form))
    partial = {"chosen": chosen + 1000, "first_entry": 1000}
    assert_same_records(jax.phi_partial(x, **partial), judge().phi_partial(x, **partial), "partial")


class Wrong(SamplerBackend):
    """The golden model with the lowest bit of one field turned over in rows of 100 entries and more."""

    def __init__(self, field: str) -> None:
        self.field = field

    @property
    def name(self) -> str:
        return "wrong"

    @property
    def capabilities(self) -> Capabilities:
        return judge().capabilities

    def _execute(self, request: RunRequest) -> Draws:
        raise AssertionError

    def _phi(self, request: PhiRequest) -> np.ndarray:
        answers = judge()._phi(request)
        if request.entries >= 100:
            answers[self.field][-1] ^= 1
        return answers


@pytest.mark.parametrize("field", RECORD.names)
def test_the_suite_sees_every_field(field: str) -> None:
    class Suite(PhiConformance):
        def make(self) -> SamplerBackend:
            return Wrong(field)

    with pytest.raises(AssertionError):
        Suite().test_every_family_in_every_format("float32")
    if field == "z2":
        with pytest.raises(AssertionError):
            Suite().test_random_calls()


# The last bin is worth 2^-43 of what lies in it, so only partials show it.
@pytest.mark.parametrize(
    ("name", "change"),
    [("EXPONENT_MULTIPLIER", 1), ("XF_BITS", 1), ("SQUARE_SHIFT", 1), ("BINS", 1), ("NO_Z", 1), ("MANTISSA_BIT", 1), ("BIN_SHIFT", 4)],
)
def test_the_reference_sees_other_constants_in_the_golden_model(name: str, change: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, name, getattr(golden, name) - change)
    suite = TestGoldenNumpy()
    with pytest.raises((AssertionError, ValueError)):  # arrays of 63 bins do not fit into partials
        suite.test_every_family_in_every_format("float32")
        suite.test_many_short_rows()
        suite.test_random_shards_merge_to_the_whole()


class Bare(SamplerBackend):
    """A backend without a phi unit."""

    @property
    def name(self) -> str:
        return "bare"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(("ising",), 1, 1, 1, 8, 8, ("gibbs",))

    def _execute(self, request: RunRequest) -> Draws:
        raise AssertionError


def test_a_backend_without_the_unit_says_so() -> None:
    for call in (Bare().phi, lambda logits: Bare().phi_partial(logits, 0)):
        with pytest.raises(NotSupported, match="backend 'bare' has no phi unit; its units are ising"):
            call([0.0, 1.0])
