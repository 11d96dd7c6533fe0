"""`ebmhw train`: a training run from a YAML file."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ebmhw.cli import terminal

if TYPE_CHECKING:
    from ebmhw.coherence.training.config import RunConfig
    from ebmhw.coherence.training.report import RunResult, StepReport
    from ebmhw.coherence.training.run import Plan

_SHOWN = {
    "reward": "reward",
    "reward_std": "reward, spread",
    "coherence/phi_mean": "phi",
    "coherence/entropy_mean": "entropy (nats)",
    "coherence/carl_reward": "coherence",
    "coherence/diversity": "diversity",
    "completions/mean_length": "tokens a completion",
}
"""Measures of the summary and what they are called there, next to each reward."""


@click.command()
@click.argument("config", metavar="CONFIG.yaml")
@click.option("--steps", type=click.IntRange(1, 10_000_000), help="Updates, instead of those in CONFIG.yaml.")
@click.option("--output", metavar="DIR", help="Folder of the run, instead of that in CONFIG.yaml.")
@click.option("--resume", is_flag=True, help="Go on with the run in the folder, from its last whole checkpoint.")
@click.option("--overwrite", is_flag=True, help="Remove the run in the folder, if there is one, and start anew.")
@click.option("--dry-run", is_flag=True, help="Check CONFIG.yaml, load model and data, print what would be done, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
def train(config: str, steps: int | None, output: str | None, resume: bool, overwrite: bool, dry_run: bool, as_json: bool) -> None:
    """Train a LoRA adapter with GRPO and rewards of coherence, as CONFIG.yaml says, then let it pass the gate.

    The keys of CONFIG.yaml are those of ebmhw.coherence.training.RunConfig; an example lies beside it (example.yaml). The folder gets log.jsonl
    (a line a step, for `ebmhw observe`), traces.jsonl, checkpoints, adapter and gate.json.

    Ctrl-C, SIGTERM and time_limit end the run at the end of a step, with a checkpoint; --resume goes on from there, also after a crash.

    Exit status: 0 done (with --dry-run: could be done), 1 the adapter failed the gate, 2 wrong use or input, 130 interrupted.
    """
    # Nothing is downloaded for a run unless the user's environment says so.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other; give one")
    chosen = _config(config, steps, output)
    from ebmhw.coherence.training import run

    if dry_run:
        planned = run.plan(chosen, resume=resume)
        if as_json:
            terminal.echo_json(planned._asdict() | {"config": planned.config.to_dict()})
        else:
            _print_plan(planned)
        return
    with warnings.catch_warnings():
        # Of Python's warnings these are for a terminal: a line of their own, without the place in our code.
        warnings.simplefilter("always", run.RunNotice)
        others = warnings.showwarning
        warnings.showwarning = lambda message, category, *place: (
            click.echo(f"warning: {message}", err=True) if issubclass(category, run.RunNotice) else others(message, category, *place)
        )
        result = run.train(chosen, resume=resume, overwrite=overwrite, progress=_progress())
    cut = f"{result.ended} after step {result.steps} of {chosen.steps}; to go on: {_resuming(config, steps, output)}"
    if as_json:
        terminal.echo_json(result.to_dict())
    else:
        _print(result, cut)
    if as_json and result.ended != "finished":
        click.echo(cut, err=True)
    sys.exit(130 if result.ended == "interrupted" else int(result.passed is False))


def _config(path: str, steps: int | None, output: str | None) -> RunConfig:
    from ebmhw.coherence.training.config import RunConfig

    given: dict[str, Any] = {name: value for name, value in (("steps", steps), ("output", output)) if value is not None}
    return replace(RunConfig.from_yaml(path), **given)


def _resuming(path: str, steps: int | None, output: str | None) -> str:
    options = (f" --steps {steps}" if steps is not None else "") + (f" --output {output}" if output is not None else "")
    return f"ebmhw train {path}{options} --resume"


def _progress() -> Callable[[StepReport], None]:
    """Return what prints a line a step, to standard error."""

    def show(step: StepReport) -> None:
        reward, phi = ("-" if value is None else f"{value:.3f}" for value in (step.reward, step.phi))
        width = len(str(step.steps))
        # Without a cascade it is the phase of the completions.
        kind = "phase" if step.record.get("cascade/stage") is None else "stage"
        stage = "" if step.stage is None else f"  {kind} {step.stage}"
        click.echo(
            f"step {step.step:>{width}}/{step.steps}  reward {reward}  phi {phi}{stage}  {step.seconds:.1f} s/step  {duration(step.eta_s)} left",
            err=True,
        )

    return show


def duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h {whole % 3600 // 60:02} min"


def _print_plan(planned: Plan) -> None:
    from ebmhw.coherence.training.notices import counted_steps

    config = planned.config
    horizon = f" over {counted_steps(planned.horizon)}" if planned.horizon else ""
    rows = [
        ("model", f"{planned.model} on {planned.device}"),
        ("task", f"{planned.task}, {planned.prompts} prompts of up to {planned.longest_prompt} tokens"),
        ("run", f"{counted_steps(config.steps)} of {config.batch} x {config.generations} completions of up to {config.max_completion_tokens} tokens"),
        ("rewards", ", ".join(f"{name} {weight:g}" for name, weight in planned.rewards.items())),
        ("learning rate", f"{config.learning_rate:g}, {config.schedule.name}{horizon}"),
        ("adapter", f"LoRA of rank {config.lora.rank} on {', '.join(config.lora.targets)}"),
        ("cascade", _cascade(config, planned.rewards)),
        (
            "gate",
            "off"
            if config.gate is None
            else f"score {config.gate.metric_threshold:g}, phi {config.gate.phi_floor:g}, {config.gate.examples} examples",
        ),
        ("output", config.output + (f", going on after step {planned.resumed_at}" if planned.resumed_at is not None else "")),
    ]
    click.echo(terminal.table(rows))
    for notice in planned.notices:
        click.echo(f"warning: {notice}", err=True)


def _cascade(config: RunConfig, rewards: Iterable[str]) -> str:
    from ebmhw.coherence.training.notices import FIRST_OPENING
    from ebmhw.coherence.training.rewards import CARL

    if config.cascade is None or CARL not in rewards:
        return "off" if config.cascade is None else "holds nothing back: coherence is no reward of this run"

    start = config.cascade.start
    opening = f"by {config.cascade.signal}, at step {FIRST_OPENING} at the earliest" if start is None else f"at step {start}"
    return f"opens {opening}; {config.cascade.warmup_steps} steps of warm-up"


def _print(result: RunResult, cut: str) -> None:
    """Print the summary; ``cut`` comes first of a run that was stopped."""
    from ebmhw.coherence.training.notices import counted_steps

    if result.ended != "finished":
        click.echo(cut + "\n")
    names = {name: name[len("rewards/") : -len("/mean")] for name in result.summary if name.startswith("rewards/") and name.endswith("/mean")}
    rows = [(label, *map(_number, result.summary[name])) for name, label in (_SHOWN | names).items() if name in result.summary]
    window = counted_steps(result.window)
    if rows and result.steps == 1:
        click.echo(terminal.table([(label, last) for label, _, last in rows], ("mean over", window)))
    elif rows:
        click.echo(terminal.table(rows, ("mean over", f"first {window}", f"last {window}")))
    click.echo(f"\n{counted_steps(result.steps)}, {duration(result.seconds)}: {result.adapter}")
    if result.cascade != "off":
        opened = result.fired_at
        click.echo(f"cascade: opened at step {opened}" if opened is not None else "cascade: never opened; coherence was measured, but not rewarded")
    if result.gate is not None:
        click.echo(f"gate: {'passed' if result.passed else 'failed'}")
        for reason in result.gate["reasons"]:
            click.echo(f"  {reason}")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
