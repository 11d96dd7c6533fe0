"""learn: parameters from an objective, step by step, on any backend; interrupted and carried on with the same bits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.backends import SamplerBackend, get_backend
from ebmhw.energy.learning.config import LearningConfig
from ebmhw.energy.learning.objective import Objective
from ebmhw.energy.learning.phases import Phases
from ebmhw.energy.learning.state import LearningState
from ebmhw.errors import ConfigError, InvalidModel, TrainingError, shown
from ebmhw.numbers import real_number, real_numbers
from ebmhw.stopping import Stop


@final
@dataclass(frozen=True)
class LearningProgress:
    """How far learning is; given to its ``progress`` function after each step.

    Attributes
    ----------
    step, steps : updates done, and in all
    learning_rate : of this update
    gradient : root mean square of the gradient's entries
    error : share of the batch's visible spins that k sweeps changed ("cd"), or of pairs in the wrong order (`Preference`). None for "pcd": its
        chains do not begin at rows of data, so that there is nothing to compare them with; measure a likelihood (`Restricted`, `annealed_importance`)
        or `reconstruction_error` every so many steps
    seconds, backend_seconds : since learning began (or was carried on), and those of them within the backend
    state : what is learned so far
    """

    step: int
    steps: int
    learning_rate: float
    gradient: float
    error: float | None
    seconds: float
    backend_seconds: float
    state: LearningState

    def __repr__(self) -> str:
        said = "" if self.error is None else f", error {self.error:.4g}"
        return f"LearningProgress(step {self.step} of {self.steps}, gradient {self.gradient:.4g}{said}, {self.seconds:.1f} s)"


@final
@dataclass(frozen=True, eq=False)
class Learned:
    """What was learned.

    Attributes
    ----------
    parameters : float64 (size,), the result
    state : what learning can be carried on from
    stopped_by : "interrupted" or "time limit" where steps are missing, else None
    steps, seconds, backend_seconds : of this call: updates, and how long they took in all and within the backend
    errors : float64 (steps,), of this call's updates, as of `LearningProgress`; None where its error is ("pcd")
    backend : the name of the one that sampled
    """

    parameters: npt.NDArray[np.float64]
    state: LearningState
    stopped_by: str | None
    steps: int
    seconds: float
    backend_seconds: float
    errors: npt.NDArray[np.float64] | None
    backend: str

    def __repr__(self) -> str:
        said = f", stopped by {self.stopped_by}" if self.stopped_by else ""
        return f"Learned({self.parameters.size} parameters after step {self.state.step} of {self.state.config.steps} on {self.backend}{said})"


def learn(
    objective: Objective,
    config: LearningConfig | None = None,
    start: npt.ArrayLike | None = None,
    *,
    backend: SamplerBackend | str | None = None,
    resume: LearningState | str | os.PathLike[str] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 30.0,
    progress: Callable[[LearningProgress], None] | None = None,
    time_limit: float | None = None,
) -> Learned:
    """Return parameters learned by gradient ascent on an objective.

    Update t: change = momentum x change + rate(t) x (gradient - weight_decay x couplings), then parameters += change, clipped to +-weight_limit.

    Parameters
    ----------
    objective : what to learn, such as `Likelihood(structure, data)`
    config : how; the defaults where left out, or that of the run to resume
    start : parameters to begin with, (size,); zeros where left out. Hidden spins need some that are not alike (the function `start(structure, data)`)
    backend : a backend, its name, or None for `get_backend()`; it draws both phases, and all return the same bits
    resume : a state, or the file of one, to carry on from; with the same objective and configuration the result is that of a run in one piece
    checkpoint : file to keep the state in: at the start, every ``checkpoint_seconds``, at the end, and whenever it is stopped or fails. One that is
        there must be of this run, and be carried on: a run is not overwritten by another
    progress : called after each step with `LearningProgress`
    time_limit : seconds after which it ends, after a whole step

    The first Ctrl-C (or SIGTERM) ends it after the step in work, a second one at once, the last whole step saved. Neither is an error:
    ``stopped_by`` says so.

    Raises
    ------
    ConfigError, InvalidModel
        for arguments that are not allowed, or do not belong to the run to resume.
    InvalidFile
        for a checkpoint that is damaged, or cannot be written.
    DoesNotFit
        where parameters grow beyond what a program holds, or a backend takes no such program.
    TrainingError
        where parameters stop being finite.
    """
    if not isinstance(objective, Objective):
        raise InvalidModel(f"objective is {shown(objective)}; give an Objective, such as Likelihood(structure, data)")
    state = _first_state(objective, config, start, resume)
    _refuse_numbers(checkpoint_seconds, time_limit)
    if checkpoint is not None:
        _refuse_other_run(checkpoint, state, resume)
    sampler = backend if isinstance(backend, SamplerBackend) else get_backend(backend)
    phases, stop = Phases(sampler, state.config.seed), Stop(time_limit)
    if checkpoint is not None:
        # Before any work is done, so that a file that cannot be written costs none.
        state.save(checkpoint)
    began = saved = time.monotonic()
    errors: list[float | None] = []
    first, why = state.step, None
    try:
        with stop.listening():
            while not state.done:
                why = stop.reason()
                if why:
                    break
                state, error, size = _step(objective, state, phases)
                errors.append(error)
                now = time.monotonic()
                if checkpoint is not None and now - saved >= checkpoint_seconds:
                    state.save(checkpoint)
                    saved = now
                if progress is not None:
                    rate = state.config.rate(state.step - 1)
                    progress(LearningProgress(state.step, state.config.steps, rate, size, error, now - began, phases.seconds, state))
    finally:
        if checkpoint is not None:
            state.save(checkpoint)
    seconds = time.monotonic() - began
    known = [error for error in errors if error is not None]
    found = np.array(known) if len(known) == len(errors) else None
    return Learned(state.result, state, why, state.step - first, seconds, phases.seconds, found, sampler.name)


def _first_state(
    objective: Objective, config: LearningConfig | None, start: npt.ArrayLike | None, resume: LearningState | str | os.PathLike[str] | None
) -> LearningState:
    if resume is None:
        used = LearningConfig() if config is None else config
        _refuse_no_config(used)
        vector = np.zeros(objective.size) if start is None else real_numbers(start, "start")
        if vector.shape != (objective.size,) or not np.isfinite(vector).all():
            raise InvalidModel(f"start has shape {vector.shape}; give {objective.size} finite numbers")
        zeros = np.zeros(objective.size)
        return LearningState(0, vector, zeros, zeros, objective.begin(used), objective.digest, used)
    if start is not None:
        raise ConfigError("start and resume are both given; a resumed run begins with the parameters it has, so drop start")
    state = resume if isinstance(resume, LearningState) else LearningState.load(resume)
    if config is not None and config != state.config:
        _refuse_no_config(config)
        differing = next(name for name in vars(config) if getattr(config, name) != getattr(state.config, name))
        now, then = getattr(config, differing), getattr(state.config, differing)
        raise ConfigError(f"{differing} is {shown(now)}, but the run to resume has {shown(then)}; leave config out to carry it on")
    if state.digest != objective.digest:
        raise ConfigError("the run to resume learned from other data, or with another structure; give those it began with")
    return state


def _refuse_numbers(checkpoint_seconds: object, time_limit: object) -> None:
    for name, value in (("checkpoint_seconds", checkpoint_seconds), ("time_limit", time_limit)):
        if value is not None and real_number(value, name) < 0:
            raise InvalidModel(f"{name} is {shown(value)}; give a number of at least 0")


def _refuse_other_run(path: str | os.PathLike[str], state: LearningState, resume: object) -> None:
    if not os.path.exists(path):
        return
    there = LearningState.load(path)
    if resume is None or there.digest != state.digest or there.config != state.config:
        raise ConfigError(
            f"checkpoint {os.fspath(path)} holds {'a' if resume is None else 'another'} run at step {there.step} of {there.config.steps}; "
            "carry it on with resume, delete it, or give another file"
        )


def _refuse_no_config(config: object) -> None:
    if not isinstance(config, LearningConfig):
        raise ConfigError(f"config is {shown(config)}; give a LearningConfig, or None for its defaults")


def _step(objective: Objective, state: LearningState, phases: Phases) -> tuple[LearningState, float | None, float]:
    """Return the state after one more update, the error of `Contrast`, and the gradient's root mean square."""
    config = state.config
    found = objective.contrast(state.parameters, state.chains, state.step, config, phases)
    direction = found.gradient
    if config.weight_decay:
        direction = direction.copy()
        direction[objective.num_biases :] -= config.weight_decay * state.parameters[objective.num_biases :]
    change = config.rate(state.step) * direction
    if config.momentum:
        change += config.momentum * state.change
    parameters = np.clip(state.parameters + change, -config.weight_limit, config.weight_limit)
    if not np.isfinite(parameters).all():
        at = int(np.flatnonzero(~np.isfinite(parameters))[0])
        raise TrainingError(
            f"parameter {at} is {parameters[at]} after step {state.step + 1}; lower the learning rate. Learning can go on from step {state.step}"
        )
    total = state.total + parameters if state.step >= config.steps - config.averaged_steps else state.total
    after = replace(state, step=state.step + 1, parameters=parameters, change=change, total=total, chains=found.chains)
    return after, found.error, float(np.sqrt(np.mean(found.gradient**2)))
