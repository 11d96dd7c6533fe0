"""The golden model under both array libraries, against the reference and against itself."""

from __future__ import annotations

import pytest
from conformance import Conformance

from ebmhw.backends import SamplerBackend, get_backend


class TestGoldenNumpy(Conformance):
    examples = 30
    structured_reads = 3
    structured_sweeps = 1

    def make(self) -> SamplerBackend:
        return get_backend("golden", arrays="numpy")


class TestGoldenJax(Conformance):
    """Few and small: every program shape is compiled anew."""

    examples = 8
    most_spins = 8
    most_reads = 33
    most_sweeps = 3
    structured_reads = 3
    structured_sweeps = 1

    def make(self) -> SamplerBackend:
        pytest.importorskip("jax")
        return get_backend("golden", arrays="jax")
