"""What learning cannot be done with is refused by name."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ebmhw import get_backend
from ebmhw.backends import SamplerBackend
from ebmhw.backends.capabilities import Capabilities
from ebmhw.backends.draws import Draws
from ebmhw.backends.request import RunRequest
from ebmhw.energy.learning import Instance, LearningConfig, LearningProgress, Likelihood, SharedLikelihood, Structure, learn, start
from ebmhw.errors import ConfigError, DoesNotFit, InvalidModel, TrainingError

DATA = np.random.default_rng(0).choice([-1, 1], (20, 4))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"k": 0}, "k is 0; give a whole number from 1"),
        ({"k": True}, "k is True"),
        ({"k": 1.5}, r"k is 1\.5"),
        ({"steps": 0}, "steps is 0"),
        ({"batch": 0}, "batch is 0"),
        ({"chains": -1}, "chains is -1"),
        ({"positive_sweeps": 0}, "positive_sweeps is 0"),
        ({"coupling_bits": 1}, "coupling_bits is 1; give a whole number from 2 to 18"),
        ({"coupling_bits": 19}, "coupling_bits is 19"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**64}, "seed is 18446744073709551616"),
        ({"method": "cd1"}, "method is 'cd1'; give one of 'cd', 'pcd'"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; give a finite number above 0"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast'"),
        ({"learning_rate": True}, "learning_rate is True"),
        ({"final_learning_rate": -0.1}, "final_learning_rate is -0.1; give a finite number at least 0"),
        ({"momentum": 1.0}, "momentum is 1.0; give a finite number at least 0 and below 1"),
        ({"weight_decay": math.inf}, "weight_decay is inf"),
        ({"weight_limit": 0}, "weight_limit is 0; give a finite number above 0"),
        ({"averaged_steps": 1001}, "averaged_steps is 1001 of 1000 steps"),
    ],
)
def test_configurations_are_checked_when_they_are_made(values: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text.replace("(", r"\(")):
        LearningConfig(**values)


def test_a_configuration_comes_back_from_its_json() -> None:
    config = LearningConfig(method="pcd", seed=2**64 - 1, learning_rate=0.1, final_learning_rate=1e-3)
    assert LearningConfig.from_json(config.to_json()) == config
    with pytest.raises(ConfigError, match="holds 'sweeps'; its keys are averaged_steps, batch"):
        LearningConfig.from_json('{"sweeps": 3}')
    assert [config.rate(step) for step in (0, 999)] == [0.1, pytest.approx(1e-3)]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (DATA[:, :3], r"data have shape \(20, 3\); give \(rows, 4\)"),
        (DATA[0], r"data have shape \(4,\)"),
        (DATA[:0], r"data have shape \(0, 4\); give \(rows, 4\), at least one row"),
        (np.where(DATA > 0, 1, 0), r"data hold 0 at row \d+, column \d+; every value is -1 or \+1; of bits 0 and 1, give 2 x - 1"),
        (np.where(np.arange(80).reshape(20, 4) == 41, np.nan, DATA), r"data hold nan at row 10, column 1; every value is -1 or \+1$"),
        (DATA * 0.5, r"data hold -?0\.5 at row 0, column 0"),
        (DATA > 0, "data are of type bool; give numbers"),
        (DATA.astype(str), "data are of type <U"),
        ([[1, -1, 1, 1], [1, -1]], "no rectangular array"),
    ],
)
def test_data_that_are_no_spins_are_refused_by_place(data: Any, text: str) -> None:
    with pytest.raises(InvalidModel, match=text):
        Likelihood(Structure.bipartite(4, 2), data)
    with pytest.raises(InvalidModel, match=text):
        start(Structure.bipartite(4, 2), data)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Structure(3, [(0, 0)]), "0"),
        (lambda: Structure(3, [(0, 3)]), "spins of this model are 0..2"),
        (lambda: Structure(3, [(0, 1.5)]), "a term names spin 1.5"),
        (lambda: Structure(3, [], [0, 3]), r"visible spins name 3; spins are 0\.\.2"),
        (lambda: Structure(3, [], [0, 0]), "visible spins name a spin twice"),
        (lambda: Structure(3, [], []), "no spin is visible"),
        (lambda: Structure.bipartite(0, 3), "the number of visible spins is 0; give a whole number of at least 1"),
        (lambda: Structure.bipartite(3, 2.0), "the number of hidden spins is 2.0"),
        (lambda: Structure.bipartite(10_000, 10_000), "100000000 terms, more than 16777216"),
        (lambda: Structure.complete(200, order=8), "terms, more than 16777216"),
        (lambda: Structure.bipartite(2, 2).program(np.zeros(3)), r"parameters have shape \(3,\); this structure has 8"),
        (lambda: Structure.bipartite(2, 2).program(np.full(8, np.inf)), "parameter 0 is inf"),
        (lambda: Structure.bipartite(2, 2).parameters(Structure.complete(4).model(np.ones(10))), r"term \(0, 1\) of the model is not one"),
        (lambda: Structure.bipartite(2, 2).parameters(Structure.complete(3).model(np.ones(6))), "the model has 3 spins, the structure 4"),
        (lambda: Likelihood(Structure.complete(4), DATA, range(4)), "inputs name every column"),
        (lambda: SharedLikelihood([], []), "give data for each of at least one instance"),
        (lambda: start(Structure.complete(4), scale=-1.0), "scale is -1.0"),
        (lambda: start(Structure.complete(4), seed=-1), "the seed is -1"),
        (lambda: learn("cd"), "objective is 'cd'; give an Objective"),  # type: ignore[arg-type]
        (lambda: learn(Likelihood(Structure.complete(4), DATA), LearningConfig(batch=5), [0.0]), r"start has shape \(1,\); give 10 finite numbers"),
        (lambda: learn(Likelihood(Structure.complete(4), DATA), LearningConfig(batch=5), np.full(10, np.nan)), "give 10 finite numbers"),
    ],
)
def test_structures_and_arguments_that_are_none_are_refused(make: Any, text: str) -> None:
    with pytest.raises(InvalidModel, match=text):
        make()


def test_matrices_of_other_shapes_are_refused() -> None:
    from scipy.sparse import csr_array

    structure = Structure.complete(3)
    with pytest.raises(InvalidModel, match=r"matrix has shape \(5, 2\); give \(6, parameters\)"):
        Instance(structure, csr_array(np.ones((5, 2))))
    two, three = Instance(structure, csr_array(np.ones((6, 2)))), Instance(structure, csr_array(np.ones((6, 3))))
    with pytest.raises(InvalidModel, match="shared parameters; all must have as many"):
        SharedLikelihood([two, three], [DATA[:, :3], DATA[:, :3]])
    with pytest.raises(ConfigError, match="an instance has 20 rows"):
        learn(SharedLikelihood([two], [DATA[:, :3]]), LearningConfig(batch=21))


def test_more_rows_than_there_are_and_no_configuration_are_refused() -> None:
    objective = Likelihood(Structure.complete(4), DATA)
    with pytest.raises(ConfigError, match="batch is 100 of 20 rows; give at most as many"):
        learn(objective)
    with pytest.raises(ConfigError, match=r"config is \{'k': 1\}; give a LearningConfig"):
        learn(objective, {"k": 1})  # type: ignore[arg-type]


def test_parameters_too_large_for_a_program_are_refused_and_clipped_ones_fit() -> None:
    structure = Structure.complete(4)
    with pytest.raises(DoesNotFit, match="lower the learning rate, set weight_limit"):
        structure.program(np.full(structure.size, 2000.0))
    config = LearningConfig(steps=3, batch=20, learning_rate=1e6, weight_limit=3.0)
    found = learn(Likelihood(structure, np.ones((20, 4))), config, backend="cpu")
    assert np.abs(found.parameters).max() == 3.0


def test_a_program_beyond_a_backend_is_refused_by_it_with_the_state_as_it_was() -> None:
    class Small(SamplerBackend):
        """A backend of three spins."""

        @property
        def name(self) -> str:
            return "small"

        @property
        def capabilities(self) -> Capabilities:
            return Capabilities(("ising",), 1, 3, 10, 8, 18, ("gibbs",))

        def _execute(self, request: RunRequest) -> Draws:
            raise AssertionError("nothing of this size is run")

    with pytest.raises(DoesNotFit, match="the program has 4 spins, backend 'small' takes 3"):
        learn(Likelihood(Structure.complete(4), DATA), LearningConfig(batch=5), backend=Small())


def test_a_gradient_that_overflows_names_the_step() -> None:
    from ebmhw.energy.learning.objective import Contrast, Objective

    class Broken(Objective):
        """Its gradient is no number from the second step on."""

        size, num_biases, digest = 2, 0, "broken"  # type: ignore[assignment]

        def begin(self, config: LearningConfig) -> Any:
            return np.zeros((0, 1), dtype=np.int8)

        def contrast(self, parameters: Any, chains: Any, step: int, config: LearningConfig, phases: Any) -> Contrast:
            return Contrast(np.array([1.0, math.nan if step else 1.0]), chains, 0.0)

    seen: list[LearningProgress] = []
    with pytest.raises(TrainingError, match=r"parameter 1 is nan after step 2; lower the learning rate\. Learning can go on from step 1"):
        learn(Broken(), LearningConfig(steps=5), backend=get_backend("golden"), progress=seen.append)
    assert [one.step for one in seen] == [1]
