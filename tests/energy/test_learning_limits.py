"""Checkpoints of other runs, on full disks and damaged; sharp models; noise at its edge; arguments of other kinds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ebmhw.energy.base import FunctionEnergy
from ebmhw.energy.learning import (
    Exact,
    GaussianNoise,
    Instance,
    LearningConfig,
    LearningProgress,
    LearningState,
    Likelihood,
    NoiseConfig,
    Preference,
    Restricted,
    Structure,
    UniformNoise,
    annealed_importance,
    clause_features,
    hand_written,
    learn,
    noise_contrastive,
    reconstruction_error,
    sample_quality,
)
from ebmhw.energy.learning.baselines import BernoulliMixture
from ebmhw.energy.learning.sat import at_unit
from ebmhw.errors import ConfigError, EbmhwError, InvalidFile

DATA = np.random.default_rng(0).choice([-1, 1], (20, 4))
CONFIG = LearningConfig(steps=4, batch=10)
STILL = Restricted(np.zeros((2, 2)), np.zeros(2), np.zeros(2))
RAGGED: Any = [[1], [1, -1]]


def objective(sign: int = 1) -> Likelihood:
    return Likelihood(Structure.complete(4), sign * DATA)


def test_a_run_does_not_overwrite_another_in_one_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    learn(objective(), CONFIG, backend="cpu", checkpoint=file)
    kept = file.read_bytes()
    with pytest.raises(ConfigError, match=r"state\.npz holds a run at step 4 of 4; carry it on with resume, delete it, or give another file"):
        learn(objective(), CONFIG, backend="cpu", checkpoint=file)
    other = learn(objective(-1), CONFIG, backend="cpu").state
    with pytest.raises(ConfigError, match=r"state\.npz holds another run at step 4 of 4"):
        learn(objective(-1), resume=other, backend="cpu", checkpoint=file)
    file.write_bytes(kept[:100])
    with pytest.raises(InvalidFile, match=r"state\.npz: no checkpoint of learning"):
        learn(objective(), CONFIG, backend="cpu", checkpoint=file)
    assert file.read_bytes() == kept[:100]


def test_a_checkpoint_that_cannot_be_written_costs_no_step(tmp_path: Path) -> None:
    steps: list[int] = []
    with pytest.raises(InvalidFile, match=r"the checkpoint of step 0 cannot be written \(No such file or directory\); free some"):
        learn(objective(), CONFIG, backend="cpu", checkpoint=tmp_path / "missing" / "state.npz", progress=lambda p: steps.append(p.step))
    assert not steps


def test_a_disk_that_fills_up_leaves_the_last_whole_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, savez = tmp_path / "state.npz", np.savez

    def full(stream: Any, **arrays: Any) -> None:
        if int(arrays["step"]) >= 2:
            stream.write(b"half")
            raise OSError(28, "No space left on device")
        savez(stream, **arrays)

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(InvalidFile, match=r"the checkpoint of step 2 cannot be written \(No space left on device\); free some space"):
        learn(objective(), CONFIG, backend="cpu", checkpoint=file, checkpoint_seconds=0.0)
    monkeypatch.undo()
    assert LearningState.load(file).step == 1 and [path.name for path in tmp_path.iterdir()] == ["state.npz"]
    whole = learn(objective(), CONFIG, backend="cpu")
    assert learn(objective(), resume=file, checkpoint=file, backend="cpu").parameters.tobytes() == whole.parameters.tobytes()


def test_damaged_checkpoints_are_refused_wherever_they_are_damaged(tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    state = learn(objective(), CONFIG, backend="cpu").state
    state.save(file)
    whole, rng = file.read_bytes(), np.random.default_rng(0)
    for _ in range(300):
        bad = bytearray(whole)
        for at in rng.integers(0, len(whole), rng.integers(1, 5)):
            bad[at] = rng.integers(0, 256)
        file.write_bytes(bytes(bad))
        try:
            assert LearningState.load(file).parameters.tobytes() == state.parameters.tobytes()
        except InvalidFile as error:
            assert "state.npz" in str(error)
    for change in ({"total": np.full(10, np.nan)}, {"change": np.full(10, np.inf)}, {"chains": np.zeros((1, 4), np.int8)}):
        dataclasses.replace(state, **change).save(file)
        with pytest.raises(InvalidFile, match="parts do not fit"):
            LearningState.load(file)


def test_the_exact_gradient_of_a_sharp_model_is_finite() -> None:
    """Where what the model gives to the data is less than the least float, the clamped spins still say what the gradient is."""
    structure = Structure.complete(2, 1)
    parameters = np.full(structure.size, 500.0)
    found = Exact(structure, parameters).gradient([[-1, 1]])
    # Spins are all +1 in the model; given (-1, +1) the hidden one's field is 500 (1 - 1 + 1).
    np.testing.assert_allclose(found, np.array([-1, 1, 1, -1, -1, 1]) - 1.0)


def test_uniform_noise_covers_its_high_end() -> None:
    """Draws of 1,000 to 1,001 in float32 round to 1,001 now and then, which ended the learning."""
    noise = UniformNoise([1000.0], [1001.0])
    assert np.isfinite(np.asarray(noise.log_density(np.array([[1000.0], [1001.0]])))).all()
    data = np.random.default_rng(0).uniform(1000.0, 1001.0, (500, 1))
    energy = FunctionEnergy(lambda p, x: p * ((x - 1000.5) ** 2).sum(), 1, 0.0)
    fitted = noise_contrastive(energy, data, noise, NoiseConfig(steps=100, batch=500, ratio=100))
    assert fitted.log_normaliser == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda: annealed_importance(STILL, 4, 4, samples=[[1, 1]]), "samples are 1 row, which has no standard error"),
        (lambda: STILL.exact_samples(-1, 1), "count is -1"),
        (lambda: Exact(3, [1]), "structure is 3; give a Structure"),
        (lambda: Likelihood("x", DATA), "structure is 'x'"),
        (lambda: Preference(None, DATA, DATA), "structure is None"),
        (lambda: Likelihood(Structure(4), DATA, None), "inputs are None; give a sequence of spins"),
        (lambda: Structure(3, [1, 2]), "a term is 1; give sequences"),
        (lambda: Structure(3, None), "terms are None"),
        (lambda: Structure.from_arrays(3, {2: RAGGED}), "terms of 2 spins are no rectangular array"),
        (lambda: Structure.from_arrays(3, {2: None}), "terms of 2 spins are None; give integers"),
        (lambda: Instance(Structure(2), RAGGED), "give a scipy sparse array"),
        (lambda: BernoulliMixture.fitted(RAGGED), "data are no rectangular array"),
        (lambda: sample_quality(RAGGED, RAGGED), "data are no rectangular array"),
        (lambda: sample_quality(np.ones((2, 0)), np.ones((2, 0))), "give at least two rows"),
        (lambda: reconstruction_error([], []), "at least one value"),
        (lambda: clause_features(3), "formula is 3; give a Formula"),
        (lambda: hand_written(-1), "literals is -1"),
        (lambda: at_unit([0.0, 0.0]), "finite ones that are not all 0"),
        (lambda: at_unit([np.inf, 1.0]), "finite ones that are not all 0"),
        (lambda: GaussianNoise.of([[1.0, 2.0]]), "give at least two rows"),
        (lambda: GaussianNoise.of(np.array([[1.0, 2.0], [1.0, 3.0]])), "column 0 of the data is the same in all rows"),
        (lambda: GaussianNoise.of(DATA.astype(float), 0.0), "widen is 0; give a number above 0"),
        (lambda: GaussianNoise([0.0], np.array([1j])), "the covariance of the noise is"),
        (lambda: GaussianNoise([0.0, 0.0], RAGGED), "the covariance of the noise is no rectangular array"),
        (lambda: GaussianNoise([], []), "the mean of the noise has no numbers"),
        (lambda: noise_contrastive(3, DATA, GaussianNoise([0.0], [1.0])), "energy is 3"),
        (lambda: noise_contrastive(FunctionEnergy(lambda p, x: x[0], 1), DATA, 3), "noise is 3; give a Noise"),
        (lambda: learn(objective(), CONFIG, time_limit="soon"), "time_limit is 'soon'"),
        (lambda: learn(objective(), CONFIG, checkpoint_seconds=-1), "checkpoint_seconds is -1; give a number of at least 0"),
    ],
)
def test_what_is_of_another_kind_is_refused_by_name(act: Callable[[], Any], text: str) -> None:
    with pytest.raises(EbmhwError, match=text):
        act()


def test_errors_are_numbers_where_chains_begin_at_the_data_and_none_elsewhere() -> None:
    for method, known in (("cd", True), ("pcd", False)):
        told: list[LearningProgress] = []
        found = learn(objective(), dataclasses.replace(CONFIG, method=method, chains=10), backend="cpu", progress=told.append)
        assert [progress.error is not None for progress in told] == [known] * 4
        assert (found.errors is not None) is known
        if found.errors is not None:
            assert found.errors.tolist() == [progress.error for progress in told] and ((found.errors >= 0) & (found.errors <= 1)).all()


def test_what_was_learned_is_shown_on_one_line() -> None:
    told: list[LearningProgress] = []
    found = learn(objective(), CONFIG, backend="cpu", progress=told.append)
    assert repr(found) == "Learned(10 parameters after step 4 of 4 on cpu)"
    assert repr(found.state) == "LearningState(step 4 of 4, 10 parameters, 0 chains)"
    assert repr(told[0]).startswith("LearningProgress(step 1 of 4, gradient ") and ", error " in repr(told[0])
    stopped = learn(objective(), CONFIG, backend="cpu", time_limit=0.0)
    assert repr(stopped) == "Learned(10 parameters after step 0 of 4 on cpu, stopped by time limit)"
    energy = FunctionEnergy(lambda p, x: p * (x**2).sum(), 4, 0.5)
    fitted = noise_contrastive(energy, DATA.astype(float), GaussianNoise.of(DATA.astype(float)), NoiseConfig(steps=2, batch=10))
    assert repr(fitted).startswith("Fitted(FunctionEnergy of 4 inputs, log normaliser ") and len(repr(fitted).splitlines()) == 1
