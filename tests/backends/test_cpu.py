from __future__ import annotations
from conformance import Conformance
from ebmhw.backends import SamplerBackend, get_backend
class TestCpu(Conformance):
    def make(self) -> SamplerBackend:
        return get_backend("cpu")
