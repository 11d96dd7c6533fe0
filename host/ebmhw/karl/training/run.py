"""train: one run of supervised fine-tuning on sessions, from its configuration to the adapter."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ebmhw.coherence.training.folder import Checkpoint, RunFolder
from ebmhw.coherence.training.report import summarised
from ebmhw.coherence.training.starting import check_libraries, run_session
from ebmhw.errors import ConfigError
from ebmhw.karl.training.config import FREE, KarlConfig
from ebmhw.karl.training.examples import Example, as_example, read_examples
from ebmhw.karl.training.report import KarlPlan, KarlResult, KarlStep
from ebmhw.lock import locked
from ebmhw.stopping import Stop

if TYPE_CHECKING:
    from ebmhw.karl.training.session import KarlSession

Given = Sequence["Example | Mapping[str, Any]"]


def train(
    config: KarlConfig | str | os.PathLike[str] | Mapping[str, Any],
    *,
    examples: Given | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Callable[[KarlStep], object] | None = None,
) -> KarlResult:
    """Train a LoRA adapter on the assistant's part of examples, each with its weight.

    A run goes on where it was cut: after each ``checkpoint_every`` steps, and where Ctrl-C, SIGTERM or the time limit ends it at a step's end,
    there is a checkpoint with weights, optimizer and random states. On one CPU, with the same libraries and threads, a resumed run has the numbers
    of one that was not cut, bit by bit. The folder is held while the run goes on (see `ebmhw.lock.locked`).

    Parameters
    ----------
    config : a `KarlConfig`, the path of its YAML file, or a mapping
    examples : instead of train.jsonl in the configuration's data: `Example` or {"messages": [...], "weight": w} each; there are none of valid.jsonl
        then
    resume : go on with the run in the output folder, from its last whole checkpoint, or from the start where it has none, as the result's notice
        says then
    overwrite : remove the run in the output folder, if there is one
    progress : called after each step

    Raises
    ------
    ConfigError : the configuration is wrong, or does not go with the folder, the model or the examples
    InvalidFile : a line of the data is no example; the text names it
    ModelLoadError, MissingExtra : the model, or libraries (pip install 'ebmhw[train]')
    TrainingError : a step failed; the text names it
    """
    made = KarlConfig.of(config)
    if resume and overwrite:
        raise ConfigError("resume and overwrite exclude each other; give one")
    stop = Stop(made.time_limit)
    folder = _folder(made)
    # Whatever is wrong is found before the folder is touched.
    if resume and not folder.config_path.exists():
        folder.resume(made)
    if folder.holds_run:
        with locked(folder.path):
            if not resume and not overwrite:
                folder.begin(made, overwrite)
    session = _session(made, examples, folder, stop, progress)
    with locked(folder.path):
        checkpoint: Checkpoint | None = None
        notice: str | None = None
        if resume:
            damaged = len(list(folder.path.glob("checkpoint-*")))
            begun = damaged or (folder.log.path.is_file() and folder.log.path.stat().st_size)
            checkpoint = folder.resume(made)
            session.check(checkpoint)
            if checkpoint is None and begun:
                notice = f"the run in {folder.path} had no whole checkpoint ({damaged} damaged), so that it was begun anew, at the first step"
        else:
            folder.begin(made, overwrite)
        with stop.listening():
            run_session(session, checkpoint, folder)
    return KarlResult(
        output=folder.path,
        adapter=folder.adapter,
        log=folder.log.path,
        steps=session.step,
        asked_steps=made.steps,
        ended=session.ended,
        seconds=session.seconds,
        examples=len(session.rows),
        left_out=session.left_out,
        shortened=sum(row.cut > 0 for row in session.rows),
        summary=summarised(folder.log.records()),
        valid_before=session.valid_nll[0],
        valid_after=session.valid_nll[1],
        resumed_at=None if checkpoint is None else checkpoint.step,
        notice=notice,
    )


def plan(config: KarlConfig | str | os.PathLike[str] | Mapping[str, Any], *, examples: Given | None = None, resume: bool = False) -> KarlPlan:
    """Return what `train` would do, with model and examples loaded and checked, and nothing written; raises what it would."""
    made = KarlConfig.of(config)
    folder = _folder(made)
    session = _session(made, examples, folder, Stop(None), None)
    last = folder.checkpoints() if resume else []
    return KarlPlan(
        config=made,
        model=session.loaded.name,
        device=session.device,
        examples=len(session.rows),
        left_out=session.left_out,
        valid=len(session.valid),
        tokens=sum(len(row.ids) for row in session.rows),
        target_tokens=sum(sum(row.target) for row in session.rows),
        longest=max(len(row.ids) for row in session.rows),
        shortened=sum(row.cut > 0 for row in session.rows),
        parameters=session.parameters,
        rounds=made.steps * made.batch / len(session.rows),
        resumed_at=last[-1].step if last else None,
    )


def _folder(config: KarlConfig) -> RunFolder:
    return RunFolder(config.output, KarlConfig, FREE, ("coherence.json",))


def _session(config: KarlConfig, examples: Given | None, folder: RunFolder, stop: Stop, progress: Callable[[KarlStep], object] | None) -> KarlSession:
    valid: Sequence[Example] = ()
    if examples is None:
        found, valid = read_examples(config.data)
    else:
        found = [as_example(one, f"example {number}") for number, one in enumerate(examples)]
    check_libraries()
    from ebmhw.karl.training.session import KarlSession

    return KarlSession(config, found, valid, folder, stop, progress)
