"""The cases of the phi unit: what they compare comes to the same, and one of each kind runs."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from ebmhw.bench import phi
from ebmhw.bench.harness import run_cases


def test_cases_name_goals_and_peers() -> None:
    cases = {case.name: case for case in phi.cases(False)}
    assert cases["phi/256x128000"].goal == 6 and [peer.name for peer in cases["phi/256x128000"].peers] == ["carl-core", "NumPy, one pass"]
    assert cases["phi/256x128000 one pass"].goal == 2 and cases["phi/256x128000 memory"].goal == 5 and cases["phi/error"].goal == -12
    assert {case.name for case in phi.cases(True)} >= {"phi/64x32000", "phi/64x151936", "phi/error"}


def test_one_pass_is_a_log_sum_exp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phi, "_CHUNK", 100)
    logits = np.random.default_rng(1).normal(0, 4, (5, 730)).astype(np.float32)
    logits[2] = np.sort(logits[2])
    log_z, entropy = phi.one_pass(logits)
    exact = np.log(np.exp(logits.astype(np.float64)).sum(axis=1))
    np.testing.assert_allclose(log_z, exact, rtol=1e-6)
    np.testing.assert_allclose(1 - entropy / np.log(730), phi.exact_phi(logits), atol=1e-6)


def test_exact_phi_of_known_rows() -> None:
    rows = np.full((3, 8), -np.inf, dtype=np.float32)
    rows[0], rows[1, 3], rows[2, :2] = 1.5, 7.0, 0.0
    np.testing.assert_allclose(phi.exact_phi(rows), [0.0, 1.0, 2 / 3], atol=1e-12)


def test_adversarial_rows_are_worse_than_others() -> None:
    # Of rows with the same entropies, give or take little, rounding hurts those most that were made for it.
    made = phi.families(2000, 3, rows=8)
    off = {name: np.abs(phi._our_phi(made[name]) - phi.exact_phi(made[name])).mean() for name in ("normal", "adversarial")}
    assert off["adversarial"] > 4 * off["normal"] and off["adversarial"] < 2**-12


def test_each_kind_of_case_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phi, "_QUICK_ROWS", 2)
    monkeypatch.setattr(phi, "VOCABULARIES", (500,))
    monkeypatch.setattr(phi, "MAIN", 500)
    results = {result.case.name: result for result in run_cases(phi.cases(True), 1)}
    assert len(results) == 6 and not [result.error for result in results.values() if result.error]
    assert results["phi/error"].met
    has_carl = importlib.util.find_spec("carl_core") is not None
    for result in results.values():
        for peer in result.peers:
            assert bool(peer.values.values) == (peer.name != "carl-core" or has_carl), peer.missing
            if peer.name == "carl-core" and not has_carl:
                assert peer.missing is not None and "not installed" in peer.missing
