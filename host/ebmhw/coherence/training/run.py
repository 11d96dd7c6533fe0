"""train: one run of reinforcement learning, from its configuration to the gate on its adapter."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ebmhw.coherence.tasks import Task
from ebmhw.coherence.training.config import RunConfig
from ebmhw.coherence.training.folder import Checkpoint, RunFolder
from ebmhw.coherence.training.notices import notices
from ebmhw.coherence.training.report import RunResult, StepReport, summarised, window_of
from ebmhw.coherence.training.rewards import CARL
from ebmhw.coherence.training.starting import check_libraries, run_session
from ebmhw.errors import ConfigError, shown
from ebmhw.lock import locked
from ebmhw.stopping import Stop


class RunNotice(UserWarning):
    """Something that a configuration asks for cannot happen in its run."""


class Plan(NamedTuple):
    """What a run would do.

    Attributes
    ----------
    config : all of it
    model : what reports call it
    device : "cpu" or "cuda"
    task : its name
    prompts : different ones that are trained on
    longest_prompt : tokens
    rewards : {name: weight}
    horizon : of the schedule "resonance", steps; None for others
    resumed_at : step of the checkpoint from which a resumed run goes on, None for a new run
    notices : what cannot happen in this run, a sentence each
    """

    config: RunConfig
    model: str
    device: str
    task: str
    prompts: int
    longest_prompt: int
    rewards: dict[str, float]
    horizon: int | None
    resumed_at: int | None
    notices: tuple[str, ...]


def as_config(config: RunConfig | str | os.PathLike[str] | Mapping[str, Any]) -> RunConfig:
    """Return a configuration, the YAML file of one, or a mapping, as a configuration."""
    if isinstance(config, RunConfig):
        return config
    if isinstance(config, Mapping):
        return RunConfig.from_dict(config)
    if isinstance(config, (str, os.PathLike)):
        return RunConfig.from_yaml(config)
    raise ConfigError(f"{shown(config)} is no configuration; give a RunConfig, the path of a YAML file, or a mapping")


def train(
    config: RunConfig | str | os.PathLike[str] | Mapping[str, Any],
    *,
    task: Task | None = None,
    rewards: Sequence[tuple[Callable[..., list[float | None]], float]] = (),
    resume: bool = False,
    overwrite: bool = False,
    progress: Callable[[StepReport], object] | None = None,
) -> RunResult:
    """Train a LoRA adapter with GRPO, the reward cascade and the log of coherence, then let it pass the gate.

    A run goes on where it was cut: after each ``checkpoint_every`` steps, and where Ctrl-C, SIGTERM or the time limit ends it at a step's end,
    there is a checkpoint with weights, optimizer, random states and cascade. On one CPU, with the same libraries and threads, a resumed run
    has the numbers of one that was not cut, bit by bit. The folder is held while the run goes on (see `ebmhw.lock.locked`): a
    second run in it is refused, also with ``resume`` or ``overwrite``; on Windows nothing holds it.

    Parameters
    ----------
    config : a `RunConfig`, the path of its YAML file, or a mapping
    task : instead of the one that the configuration names
    rewards : reward functions with weights besides those of the configuration, called as TRL calls them: with keyword arguments completions,
        prompts, completion_ids and the columns of the task's examples. One that takes ``traces`` (by that name, or as one of its ``**columns``)
        gets the `ebmhw.coherence.CoherenceTrace` of each completion there, None where there is none:
        ``def sure(completions, traces, **columns): return [trace and trace.phi_mean for trace in traces]``
    resume : go on with the run in the output folder, from its last whole checkpoint, or from the start where it has none
    overwrite : remove the run in the output folder, if there is one
    progress : called after each step

    Raises
    ------
    ConfigError : the configuration is wrong, or does not go with the folder, the model or the task
    ModelLoadError, MissingExtra : the model, or libraries (pip install 'ebmhw[train]')
    TrainingError : a step failed; the text names it

    Warns
    -----
    RunNotice : the run cannot do something that its configuration asks for, such as a cascade in fewer steps than it needs to open
    """
    made = as_config(config)
    if resume and overwrite:
        raise ConfigError("resume and overwrite exclude each other; give one")
    check_libraries()
    from ebmhw.coherence.training.session import Session

    stop = Stop(made.time_limit)
    folder = RunFolder(made.output)
    # Whatever is wrong is found before the folder is touched.
    if resume and not folder.config_path.exists():
        folder.resume(made)
    if folder.holds_run:
        with locked(folder.path):
            if not resume and not overwrite:
                folder.begin(made, overwrite)
    session = Session(made, task, rewards, folder, stop, progress)
    noticed = tuple(notices(made, session.reward_names))
    for notice in noticed:
        warnings.warn(notice, RunNotice, stacklevel=2)
    with locked(folder.path):
        checkpoint: Checkpoint | None = None
        if resume:
            checkpoint = folder.resume(made)
        else:
            folder.begin(made, overwrite)
        with stop.listening():
            run_session(session, checkpoint, folder)
        gate = None
        if session.ended == "finished" and made.gate is not None:
            from ebmhw.coherence.training.judging import judged

            gate = judged(made, session.task, folder)
    records = list(folder.log.records())
    return RunResult(
        output=folder.path,
        adapter=folder.adapter,
        log=folder.log.path,
        traces=folder.traces.path,
        steps=session.step,
        ended=session.ended,
        seconds=session.seconds,
        fired_at=session.fired_at,
        summary=summarised(records),
        gate=gate,
        asked_steps=made.steps,
        window=window_of(len(records)),
        cascade="off" if made.cascade is None or CARL not in session.reward_names else "closed" if session.fired_at is None else "open",
        notices=noticed,
    )


def plan(
    config: RunConfig | str | os.PathLike[str] | Mapping[str, Any],
    *,
    task: Task | None = None,
    rewards: Sequence[tuple[Callable[..., list[float | None]], float]] = (),
    resume: bool = False,
) -> Plan:
    """Return what `train` would do, with model and data loaded and checked, and nothing written; raises what it would."""
    made = as_config(config)
    check_libraries()
    from ebmhw.coherence.training.session import Session

    folder = RunFolder(made.output)
    session = Session(made, task, rewards, folder, Stop(None), None)
    last = folder.checkpoints() if resume else []
    return Plan(
        config=made,
        model=session.loaded.name,
        device=session.device,
        task=session.task.name,
        prompts=len({repr(example.prompt) for example in session.examples}),
        longest_prompt=session.longest_prompt,
        rewards=dict(zip(session.reward_names, (weight for _, weight in session.rewards), strict=True)),
        horizon=session.horizon if made.schedule.name == "resonance" else None,
        resumed_at=last[-1].step if last else None,
        notices=tuple(notices(made, session.reward_names)),
    )
