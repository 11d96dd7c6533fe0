"""The cases of the coherence probe: what they compare is the same work, and one of each kind runs."""

from __future__ import annotations

import importlib.util

import pytest

from ebmhw.bench import coherence
from ebmhw.bench.harness import run_cases

HAS_CARL = importlib.util.find_spec("carl_core") is not None


def test_cases_name_their_peer() -> None:
    cases = {case.name: case for case in coherence.cases(False)}
    assert len(cases) == 6 and {case.group for case in cases.values()} == {"coherence"}
    assert all([peer.name for peer in case.peers] == ["carl-core"] for case in cases.values())
    assert cases["coherence/trace 256x128000 memory"].goal == 5 and cases["coherence/snapshot 256x32000"].per_cpu_second
    assert {case.name for case in coherence.cases(True)} >= {"coherence/trace 64x32000", "coherence/snapshot 64x128000 memory"}


def test_each_kind_of_case_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coherence, "_QUICK_ROWS", 2)
    monkeypatch.setattr(coherence, "VOCABULARIES", (500,))
    results = {result.case.name: result for result in run_cases(coherence.cases(True), 1)}
    assert len(results) == 4 and not [result.error for result in results.values() if result.error]
    for result in results.values():
        assert len(result.ours.values.values) == 1
        peer = result.peers[0]
        assert bool(peer.values.values) == HAS_CARL, peer.missing
        if not HAS_CARL:
            assert peer.missing is not None and "not installed" in peer.missing


def test_speed_counts_all_tokens() -> None:
    from contextlib import ExitStack

    case = coherence.cases(True)[0]
    tokens = case.setup(ExitStack())
    assert case.ours(tokens)(0) == len(tokens.logits) == 64
