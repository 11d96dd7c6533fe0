"""What is learned is the same bits on every backend, and the same bits in one piece or in several."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cores import simulated
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw import get_backend
from ebmhw.backends import SamplerBackend
from ebmhw.energy.learning import LearningConfig, LearningState, Likelihood, Objective, Preference, Structure, learn, start
from ebmhw.errors import ConfigError, InvalidFile

RNG = np.random.default_rng(7)
DATA = RNG.choice([-1, 1], (30, 6))
DATA[:, 3] = DATA[:, 0]
OTHER = np.where(RNG.random((30, 6)) < 0.5, DATA, -DATA)
OTHER[:, 5] = -DATA[:, 5]


def objectives() -> dict[str, tuple[Objective, str]]:
    """Objectives of every kind, each with the method it takes."""
    machine, boltzmann = Structure.bipartite(6, 3), Structure.complete(6, 2, order=3)
    return {
        "cd": (Likelihood(machine, DATA), "cd"),
        "pcd": (Likelihood(machine, DATA), "pcd"),
        "conditional": (Likelihood(machine, DATA, inputs=[1, 4]), "cd"),
        "cubic": (Likelihood(boltzmann, DATA), "pcd"),
        "visible": (Likelihood(Structure.complete(6), DATA), "cd"),
        "pairs": (Preference(boltzmann, DATA, OTHER), "cd"),
    }


def learned(name: str, backend: SamplerBackend | str, **changes: Any) -> LearningState:
    """Eight steps of one of the objectives."""
    objective, method = objectives()[name]
    settings_ = {"method": method, "k": 2, "steps": 8, "batch": 10, "chains": 12, "learning_rate": 0.1, "momentum": 0.5, "weight_decay": 0.01}
    config = LearningConfig(**(settings_ | {"averaged_steps": 3, "seed": 5} | changes))
    structure = objective.structure  # type: ignore[attr-defined]
    return learn(objective, config, start(structure, scale=0.3), backend=backend).state


def alike(a: LearningState, b: LearningState) -> bool:
    """Tell whether two states are the same, every bit of them."""
    return all(
        getattr(a, field.name).tobytes() == getattr(b, field.name).tobytes()
        if isinstance(getattr(a, field.name), np.ndarray)
        else getattr(a, field.name) == getattr(b, field.name)
        for field in dataclasses.fields(LearningState)
    )


@pytest.mark.parametrize("name", objectives())
def test_every_backend_teaches_the_same_bits(name: str) -> None:
    on_cpu = learned(name, get_backend("cpu"))
    assert alike(on_cpu, learned(name, get_backend("golden")))
    assert alike(on_cpu, learned(name, get_backend("cpu", threads=1)))
    assert alike(on_cpu, learned(name, simulated("small")))
    # What the comparison is worth: another seed is another result.
    assert not alike(on_cpu, learned(name, get_backend("cpu"), seed=6))


@given(st.integers(2, 5), st.integers(0, 3), st.integers(2, 3), st.sampled_from(["cd", "pcd"]), st.integers(1, 3), st.integers(0, 2**64 - 1))
@settings(max_examples=15, deadline=None)
def test_cpu_and_golden_agree_over_structures(visible: int, hidden: int, order: int, method: str, k: int, seed: int) -> None:
    structure = Structure.complete(visible, hidden, order)
    data = np.random.default_rng(seed).choice([-1, 1], (7, visible))
    config = LearningConfig(method=method, k=k, steps=4, batch=3, chains=5, learning_rate=0.3, seed=seed, positive_sweeps=2)
    first, second = (learn(Likelihood(structure, data), config, start(structure, seed=1), backend=name) for name in ("cpu", "golden"))
    assert first.parameters.tobytes() == second.parameters.tobytes()


@pytest.mark.parametrize("name", ["cd", "pcd", "pairs"])
def test_a_run_in_pieces_ends_with_the_bits_of_one_in_one_piece(name: str, tmp_path: Path) -> None:
    whole = learned(name, "cpu")
    objective, _ = objectives()[name]
    structure = objective.structure  # type: ignore[attr-defined]
    file, pieces = tmp_path / "state.npz", 0
    first = learn(objective, whole.config, start(structure, scale=0.3), backend="cpu", checkpoint=file, time_limit=0.0)
    assert first.stopped_by == "time limit" and first.state.step == 0
    resumed = first
    while not resumed.state.done:
        done: list[int] = []

        def one_step(progress: Any, done: list[int] = done) -> None:
            done.append(progress.step)
            if len(done) == 3:
                os.kill(os.getpid(), signal.SIGINT)

        resumed = learn(objective, resume=file, backend="golden", checkpoint=file, progress=one_step)
        assert alike(resumed.state, LearningState.load(file))
        pieces += 1
        assert resumed.steps == 3 or resumed.state.done
    assert pieces == 3
    assert alike(resumed.state, whole)
    assert resumed.parameters.tobytes() == whole.result.tobytes() != whole.parameters.tobytes()


def test_an_error_in_the_middle_leaves_the_last_whole_step(tmp_path: Path) -> None:
    objective, _ = objectives()["cd"]
    file = tmp_path / "state.npz"

    def broken(progress: Any) -> None:
        if progress.step == 2:
            raise RuntimeError("a listener failed")

    with pytest.raises(RuntimeError, match="a listener failed"):
        learn(objective, LearningConfig(steps=5, batch=10), backend="cpu", checkpoint=file, progress=broken)
    assert LearningState.load(file).step == 2
    assert os.listdir(tmp_path) == ["state.npz"]


def test_a_process_that_is_interrupted_leaves_a_state_to_carry_on_from(tmp_path: Path) -> None:
    script = (
        "import sys\nimport numpy as np\nfrom ebmhw.energy.learning import LearningConfig, Likelihood, Structure, learn, start\n"
        "structure = Structure.bipartite(6, 3)\n"
        "data = np.random.default_rng(0).choice([-1, 1], (30, 6))\n"
        "config = LearningConfig(method='pcd', steps=int(sys.argv[2]), batch=10, chains=8, k=2)\n"
        "said = lambda p: print(p.step, flush=True)\n"
        "done = learn(Likelihood(structure, data), config, start(structure), backend='cpu', checkpoint=sys.argv[1], progress=said)\n"
        "print(done.stopped_by)\n"
    )
    file = tmp_path / "state.npz"
    with subprocess.Popen([sys.executable, "-c", script, str(file), "1000000"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert first == "1\n"
    assert process.returncode == 0
    assert said.splitlines()[-1] == "interrupted"
    state = LearningState.load(file)
    assert f"\n{state.step}\n" in f"\n1\n{said}"
    assert os.listdir(tmp_path) == ["state.npz"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"schema": np.str_("ebmhw-learning-9")}, "its form is 'ebmhw-learning-9'"),
        ({"chains": np.zeros((2, 3))}, "parts do not fit .*chains"),
        ({"change": np.zeros(3)}, "parts do not fit .*change"),
        ({"step": np.int64(900)}, "parts do not fit"),
        ({"parameters": np.full(27, np.nan), "change": np.zeros(27), "total": np.zeros(27)}, "parts do not fit"),
        ({"config": np.str_("{")}, "no checkpoint of learning"),
        ({"config": np.str_('{"k": 0}')}, "k is 0; give a whole number"),
    ],
)
def test_damaged_checkpoints_are_refused_by_name(change: dict[str, Any], text: str, tmp_path: Path) -> None:
    state = learned("cd", "cpu")
    file = tmp_path / "state.npz"
    state.save(file)
    with np.load(file) as held:
        arrays = {name: held[name] for name in held.files} | change
    np.savez(file, **arrays)
    with pytest.raises(InvalidFile, match=f"(?s)state.npz: .*{text}"):
        LearningState.load(file)


@pytest.mark.parametrize("keep", [0, 10, 400])
def test_cut_checkpoints_are_refused(keep: int, tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    learned("cd", "cpu").save(file)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(InvalidFile, match="no checkpoint of learning"):
        LearningState.load(file)


def test_a_run_is_only_carried_on_with_what_it_began_with() -> None:
    state = learned("cd", "cpu")
    machine = Structure.bipartite(6, 3)
    with pytest.raises(ConfigError, match="learned from other data"):
        learn(Likelihood(machine, -DATA), resume=state)
    with pytest.raises(ConfigError, match="learned from other data, or with another structure"):
        learn(Likelihood(Structure.complete(6, 3), DATA), resume=state)
    with pytest.raises(ConfigError, match=r"learning_rate is 0\.2, but the run to resume has 0\.1"):
        learn(Likelihood(machine, DATA), dataclasses.replace(state.config, learning_rate=0.2), resume=state)
    with pytest.raises(ConfigError, match="start and resume are both given"):
        learn(Likelihood(machine, DATA), start=state.parameters, resume=state)
