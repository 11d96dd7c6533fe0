"""The EML reward: its range and order, its fit, its parameters made again, and what is unknown or broken."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from eml_cases import node, trees
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.coherence import CoherenceTrace
from ebmhw.coherence.eml import EMLTree
from ebmhw.coherence.eml.fitting import examples, fitted, random_trace, reward_shape
from ebmhw.coherence.eml.squash import bounds, loss_and_gradient, squashed
from ebmhw.coherence.rewards.eml import FITTED, EMLCompositeReward, eml_reward_from_trace, make_eml_reward
from ebmhw.errors import EmlError

UNIT = st.floats(0, 1)


def by_hand(x: Any, p: Any = FITTED) -> float:
    """Return the default reward, written out."""
    steady, cloud, jumps = x

    def e(a: float, b: float) -> float:
        return math.exp(max(-20.0, min(20.0, a))) - math.log(max(b, 1e-12))

    raw = e(e(e(p[0], p[1]), e(p[2], jumps)), e(e(p[3], steady), e(cloud, p[4])))
    return 1 / (1 + math.exp(-(p[5] * raw + p[6])))


@given(st.tuples(UNIT, UNIT, UNIT))
def test_default_reward_is_the_formula(x: tuple[float, float, float]) -> None:
    reward = make_eml_reward()
    assert math.isclose(reward.forward(x), by_hand(x), rel_tol=1e-9) and 0 <= reward.forward(x) <= 1
    assert reward.tree.depth() == 3 and len(reward.parameters) == 7 and reward.parameters.tolist() == list(FITTED)


@given(st.tuples(UNIT, UNIT, UNIT), st.integers(0, 2), UNIT)
def test_default_reward_grows_with_each_feature(x: tuple[float, float, float], which: int, other: float) -> None:
    more, less = list(x), list(x)
    more[which], less[which] = max(x[which], other), min(x[which], other)
    reward = EMLCompositeReward()
    assert reward.forward(more) >= reward.forward(less) - 1e-12


def test_parameters_are_made_again() -> None:
    again = fitted(judged=500)
    features, _ = examples(5, 300)
    tape = EMLCompositeReward().tree.tape
    # Some parameters act only together, and a minimum that is flat along them is met at another point where floats round otherwise.
    assert np.allclose(squashed(tape, again.params, features), EMLCompositeReward().forward_batch(features), atol=2e-3)
    assert again.correlation > 0.98 and again.rms < 0.02


def test_default_reward_follows_the_phase_adaptive_composite_and_others_do_not() -> None:
    features, targets = examples(77, 1000)
    assert np.corrcoef(EMLCompositeReward().forward_batch(features), targets)[0, 1] > 0.975
    # Control: the tree with its constants as before the fit, and features in another order.
    untaught = EMLCompositeReward(EMLTree(reward_shape(), 3), scale=FITTED[-2], shift=FITTED[-1])
    assert np.abs(untaught.forward_batch(features) - targets).mean() > 0.1
    assert np.corrcoef(EMLCompositeReward().forward_batch(features[:, [1, 2, 0]]), targets)[0, 1] < 0.9


def test_scores_of_traces() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        trace = random_trace(rng)
        score, parts = EMLCompositeReward().score_from_trace(trace)
        assert score is not None
        assert math.isclose(score, by_hand((trace.multiscale_coherence, trace.cloud_quality, trace.discontinuity_score)), rel_tol=1e-9)
        assert parts == {
            "multiscale": trace.multiscale_coherence,
            "cloud_quality": trace.cloud_quality,
            "discontinuity": trace.discontinuity_score,
        }
        assert EMLCompositeReward()(trace) == (score, parts)
        base = eml_reward_from_trace(trace)
        expected = math.exp(trace.multiscale_coherence or 0) - math.log(max(1 - (trace.phi_mean or 0), 1e-8))
        assert base is not None and math.isclose(base, 5 * math.tanh(expected / 5), rel_tol=1e-12)


def test_what_is_unknown_has_no_score() -> None:
    nothing = CoherenceTrace.of_fields(np.full(4, np.nan), np.full(4, np.nan), np.full(4, np.nan), 10)
    unchosen = CoherenceTrace.of_fields(np.full(4, 0.5), np.full(4, 1.0), np.full(4, np.nan), 10)
    for trace in (nothing, unchosen):
        assert EMLCompositeReward().score_from_trace(trace)[0] is None
    assert eml_reward_from_trace(nothing) is None and eml_reward_from_trace(unchosen) is not None
    # A tree that does not read the cloud quality scores without it.
    assert EMLCompositeReward(EMLTree(node(0, 1.0), 3)).score_from_trace(unchosen)[0] is not None


# --- fitting


@settings(max_examples=60)
@given(trees(depth=3, leaves=st.floats(0.2, 2)), st.integers(0, 2**32 - 1))
def test_gradient_of_the_loss_is_that_of_central_differences(tree: EMLTree, seed: int) -> None:
    rng = np.random.default_rng(seed)
    features, targets = rng.random((6, 3)), rng.random(6)
    params = np.concatenate([tree.leaf_params, [1e-3, 0.1]])  # a small scale, as a squashed value of 0 or 1 has no slope
    _, gradient = loss_and_gradient(tree.tape, params, features, targets)
    for k in range(len(params)):
        losses = [loss_and_gradient(tree.tape, params + step * np.eye(len(params))[k], features, targets)[0] for step in (-2e-6, -1e-6, 1e-6, 2e-6)]
        near, far = (losses[2] - losses[1]) / 2e-6, (losses[3] - losses[0]) / 4e-6
        if abs(near - far) <= 1e-4 * abs(near) + 1e-7:
            assert math.isclose(gradient[k], near, rel_tol=1e-3, abs_tol=1e-6)


def test_fitting_learns_another_composite() -> None:
    features, _ = examples(3, 200)
    targets = features @ [0.1, 0.8, 0.1]
    reward = EMLCompositeReward()
    losses = [reward.fit_step(features, targets, lr=0.02)["loss"] for _ in range(400)]
    assert losses[-1] < losses[0] / 4
    assert np.corrcoef(reward.forward_batch(features), targets)[0, 1] > np.corrcoef(EMLCompositeReward().forward_batch(features), targets)[0, 1]
    low, high = bounds(reward.tree.root)
    assert np.all(reward.parameters >= low) and np.all(reward.parameters <= high)
    assert EMLCompositeReward().parameters.tolist() == list(FITTED)


def test_first_step_of_adam_is_the_learning_rate_against_the_slope() -> None:
    reward = EMLCompositeReward()
    before = reward.parameters
    x, target = [0.8, 0.3, 0.5], 0.1
    _, gradient = loss_and_gradient(reward.tree.tape, before, np.array([x]), np.array([target]))
    told = reward.fit_step(x, target, lr=1e-3)
    assert np.allclose(reward.parameters, before - 1e-3 * np.sign(gradient), atol=1e-6)
    assert math.isclose(told["loss"], (reward.forward(x) - target) ** 2 / 2, rel_tol=1e-9)
    assert math.isclose(told["grad_norm"], float(np.linalg.norm(gradient)), rel_tol=1e-9)


def test_a_run_that_was_kept_goes_on_alike() -> None:
    features, targets = examples(9, 50)
    one = EMLCompositeReward()
    for _ in range(5):
        one.fit_step(features, 1 - targets, lr=0.05)
    other = EMLCompositeReward.from_dict(json.loads(json.dumps(one.to_dict(), allow_nan=False)))
    for _ in range(5):
        assert one.fit_step(features, targets) == other.fit_step(features, targets)
    assert other.to_dict() == one.to_dict() and np.array_equal(other.forward_batch(features), one.forward_batch(features))


# --- what is refused


@pytest.mark.parametrize(
    ("make", "code", "text"),
    [
        (lambda: EMLCompositeReward(max_depth=5), "eml.depth_exceeded", "give 0 to 4"),
        (lambda: EMLCompositeReward(max_depth=2), "eml.depth_exceeded", "deeper than max_depth"),
        (lambda: EMLCompositeReward(EMLTree.identity(2)), "eml.domain_error", "3 inputs"),
        (lambda: EMLCompositeReward(scale=math.nan), "eml.domain_error", "scale"),
        (lambda: EMLCompositeReward().forward([0.1, None, 0.3]), "eml.domain_error", "known"),
        (lambda: EMLCompositeReward().forward([[0.1, 0.2, 0.3]]), "eml.domain_error", "give 3"),
        (lambda: EMLCompositeReward().forward([0.1, 0.2]), "eml.domain_error", r"\(1, 2\)"),
        (lambda: EMLCompositeReward().fit_step([0.1, 0.2, math.nan], 0.5), "eml.domain_error", "all known"),
        (lambda: EMLCompositeReward().fit_step([[0.1, 0.2, 0.3]], [0.5, 0.5]), "eml.domain_error", "shapes"),
        (lambda: EMLCompositeReward().fit_step(np.empty((0, 3)), []), "eml.domain_error", "shapes"),
        (lambda: EMLCompositeReward().fit_step([0.1, 0.2, 0.3], 0.5, lr=0), "eml.domain_error", "lr 0"),
        (lambda: EMLCompositeReward().fit_step([0.1, 0.2, 0.3], 0.5, beta2=1), "eml.domain_error", "beta2 1"),
    ],
)
def test_arguments_that_do_not_fit(make: Any, code: str, text: str) -> None:
    with pytest.raises(EmlError, match=text) as caught:
        make()
    assert caught.value.code == code


def test_a_refused_step_changes_nothing() -> None:
    reward = EMLCompositeReward()
    before = reward.to_dict()
    with pytest.raises(EmlError):
        reward.fit_step([0.1, 0.2, 0.3], 0.5, lr=-1)
    assert reward.to_dict() == before


@pytest.mark.parametrize(
    "change",
    [
        {"root": None}, {"root": {"op": 0}}, {"input_dim": 2}, {"input_dim": "3"}, {"leaf_params": [1.0]}, {"leaf_params": "x"}, {"shift": []},
        {"shift": math.nan}, {"adam_t": -1}, {"adam_t": 1.5}, {"adam_m": [0.0]}, {"adam_v": [-1.0] * 7}, {"adam_v": [math.nan] * 7}, {"adam_m": None},
    ],
)  # fmt: skip
def test_dicts_that_do_not_fit(change: dict[str, Any]) -> None:
    with pytest.raises(EmlError) as caught:
        EMLCompositeReward.from_dict(EMLCompositeReward().to_dict() | change)
    assert caught.value.code == "eml.decode_error"


def test_dicts_that_lack_a_member() -> None:
    for name in set(EMLCompositeReward().to_dict()) - {"version"}:
        told = EMLCompositeReward().to_dict()
        del told[name]
        with pytest.raises(EmlError, match=name):
            EMLCompositeReward.from_dict(told)
    with pytest.raises(EmlError, match="NoneType"):
        EMLCompositeReward.from_dict(None)
    with pytest.raises(EmlError) as caught:
        EMLCompositeReward.from_dict(EMLCompositeReward().to_dict() | {"max_depth": 2})
    assert caught.value.code == "eml.depth_exceeded"
