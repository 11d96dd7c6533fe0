"""The discriminative form: right answers below wrong ones, on questions never seen; and conditional divergence that answers them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from ebmhw import Schedule, get_backend
from ebmhw.energy.learning import LearningConfig, Likelihood, Preference, Structure, learn, start
from ebmhw.energy.learning.phases import Phases
from ebmhw.errors import ConfigError, InvalidModel

QUESTIONS = np.array([[1 if k >> i & 1 else -1 for i in range(6)] for k in range(64)])
ANSWERS = np.stack([QUESTIONS[:, 0] * QUESTIONS[:, 1], np.sign(QUESTIONS[:, 2:5].sum(axis=1)), -QUESTIONS[:, 5]], axis=1)
ORDER = np.random.default_rng(0).permutation(64)
SEEN, UNSEEN = ORDER[:40], ORDER[40:]
INPUTS = range(6)

CUBIC = Structure(9, [(i, j, k) for k in (6, 7, 8) for i in range(6) for j in range(i)] + [(i, k) for i in range(6) for k in (6, 7, 8)])


def pairs(which: npt.NDArray[np.int64], seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Questions with their answers, and with one to three of the three bits wrong."""
    wrong = np.array([p for p in np.ndindex(2, 2, 2) if any(p)])[np.random.default_rng(seed).integers(0, 7, len(which))]
    right = np.concatenate([QUESTIONS[which], ANSWERS[which]], axis=1)
    return right, np.concatenate([QUESTIONS[which], ANSWERS[which] * (1 - 2 * wrong)], axis=1)


def right_below_wrong(structure: Structure, parameters: npt.NDArray[np.float64]) -> float:
    """The share of unseen pairs in order."""
    good, bad = pairs(np.repeat(UNSEEN, 20), 9)
    model = structure.model(parameters)
    return float((model.energy(good) < model.energy(bad)).mean())


def test_pairs_teach_an_order_that_holds_for_questions_never_seen() -> None:
    right, wrong = pairs(np.repeat(SEEN, 10), 1)
    config = LearningConfig(steps=300, batch=50, learning_rate=0.1)
    found = learn(Preference(CUBIC, right, wrong, INPUTS), config, backend="cpu")
    assert right_below_wrong(CUBIC, found.parameters) > 0.97
    assert found.errors[-20:].mean() < 0.02
    # Questions without their answers tell nothing: what is among the inputs is no parameter that moves.
    assert not found.parameters[:6].any()
    shuffled = np.concatenate([right[:, :6], right[np.random.default_rng(2).permutation(len(right)), 6:]], axis=1)
    kept = (shuffled != wrong).any(axis=1)
    control = learn(Preference(CUBIC, shuffled[kept], wrong[kept], INPUTS), config, backend="cpu")
    assert right_below_wrong(CUBIC, control.parameters) < 0.75


def test_one_step_is_the_gradient_of_the_hinge_loss() -> None:
    rng = np.random.default_rng(5)
    right, wrong = pairs(SEEN, 3)
    objective = Preference(CUBIC, right, wrong, INPUTS, margin=0.7)
    config = LearningConfig(batch=len(right), coupling_bits=18)
    parameters = rng.normal(0, 0.3, CUBIC.size)
    found = objective.contrast(parameters, objective.begin(config), 0, config, Phases(get_backend("golden"), 1)).gradient
    program = CUBIC.program(parameters, 18)
    rounded = CUBIC.parameters(program.weights) / program.scale

    def loss(vector: npt.NDArray[np.float64]) -> float:
        model = CUBIC.model(vector)
        return float(np.maximum(0.0, 0.7 + model.energy(right) - model.energy(wrong)).mean())

    for at in rng.choice(CUBIC.size, 20, replace=False):
        step = 1e-6 * (np.arange(CUBIC.size) == at)
        assert found[at] == pytest.approx(-(loss(rounded + step) - loss(rounded - step)) / 2e-6, abs=1e-6)


def test_hidden_spins_are_drawn_for_both_answers() -> None:
    structure = Structure(9, [(i, 8) for i in range(8)] + [(i, j) for i in range(8) for j in range(i)], range(8))
    rng = np.random.default_rng(6)
    right = rng.choice([-1, 1], (200, 8))
    right[:, 7] = right[:, 0]
    wrong = right.copy()
    wrong[:, 7] *= -1
    config = LearningConfig(steps=80, batch=50, learning_rate=0.1)
    found = learn(Preference(structure, right, wrong, range(7)), config, start(structure, scale=0.1), backend="cpu")
    assert found.errors[-10:].mean() < 0.1 < found.errors[0]
    assert found.backend_seconds > 0


def test_a_machine_learned_with_held_inputs_answers_questions_never_seen_by_sampling() -> None:
    right, _ = pairs(SEEN, 1)
    config = LearningConfig(steps=300, batch=40, k=3, learning_rate=0.2, final_learning_rate=0.02, weight_decay=0.02)
    found = learn(Likelihood(CUBIC, np.repeat(right, 2, axis=0), INPUTS), config, backend="cpu")

    def answered(parameters: npt.NDArray[np.float64]) -> float:
        program = CUBIC.program(parameters)
        clamps = {i: QUESTIONS[UNSEEN, i] for i in INPUTS}
        draws = get_backend("cpu").run(
            program, Schedule.geometric(0.1 / program.scale, 5 / program.scale, 200), reads=len(UNSEEN), seed=1, clamps=clamps
        )
        return float((draws.spins[:, 6:] == ANSWERS[UNSEEN]).all(axis=1).mean())

    assert answered(found.parameters) > 0.75
    assert answered(-found.parameters) < 0.2


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"wrong": -np.ones((3, 9))}, "40 right and 3 wrong answers"),
        ({"wrong": np.zeros((40, 9), dtype=int)}, "wrong answers hold 0 at row 0, column 0; every value is -1 or .1; of bits 0 and 1, give 2 x - 1"),
        ({"inputs": [9]}, r"inputs name 9; spins are 0\.\.8"),
        ({"inputs": [0, 0]}, "inputs name a spin twice"),
        ({"inputs": [8]}, "pair [0-9]+ differs in column 8, which is an input"),
        ({"margin": -1}, "margin is -1.0; give a number of at least 0"),
    ],
)
def test_pairs_that_are_none_are_refused_by_name(change: dict[str, object], text: str) -> None:
    right, wrong = pairs(SEEN, 1)
    arguments = {"right": right, "wrong": wrong, "inputs": INPUTS} | change
    with pytest.raises(InvalidModel, match=text):
        Preference(CUBIC, **arguments)  # type: ignore[arg-type]


def test_equal_answers_and_chains_are_refused() -> None:
    right, wrong = pairs(SEEN, 1)
    with pytest.raises(InvalidModel, match="answers of pair 5 are the same"):
        Preference(CUBIC, right, np.where(np.arange(40)[:, None] == 5, right, wrong))
    with pytest.raises(ConfigError, match="method is 'pcd', but pairs have no negative phase"):
        learn(Preference(CUBIC, right, wrong), LearningConfig(method="pcd", batch=10))
    with pytest.raises(ConfigError, match="method is 'pcd' with inputs"):
        learn(Likelihood(CUBIC, right, INPUTS), LearningConfig(method="pcd", batch=10))
