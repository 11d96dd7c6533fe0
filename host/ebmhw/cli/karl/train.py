"""`ebmhw karl train`: a LoRA adapter on an exported set."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ebmhw.cli import terminal
from ebmhw.cli.karl.trained import trained_on
from ebmhw.cli.train import duration

if TYPE_CHECKING:
    from ebmhw.karl.training import KarlPlan, KarlResult, KarlStep


def _example(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(files("ebmhw.karl.training").joinpath("example.yaml").read_text(encoding="utf-8"), nl=False)
        context.exit()


@click.command()
@click.argument("config", metavar="CONFIG.yaml")
@click.option("--steps", type=click.IntRange(1, 10_000_000), help="Updates, instead of those in CONFIG.yaml.")
@click.option("--data", metavar="DIR", help="Folder that `ebmhw karl export` wrote, instead of that in CONFIG.yaml.")
@click.option("--output", metavar="DIR", help="Folder of the run, instead of that in CONFIG.yaml.")
@click.option(
    "--store",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the sessions of the set are marked as trained on.  [default: the usual store, if it is there and holds some of them]",
)
@click.option("--resume", is_flag=True, help="Go on with the run in the folder, from its last whole checkpoint.")
@click.option("--overwrite", is_flag=True, help="Remove the run in the folder, if there is one, and start anew.")
@click.option("--dry-run", is_flag=True, help="Check CONFIG.yaml, load model and examples, print what would be done, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
@click.option("--example", is_flag=True, is_eager=True, expose_value=False, callback=_example, help="Print an example of CONFIG.yaml, and end.")
def train(
    config: str,
    steps: int | None,
    data: str | None,
    output: str | None,
    store: Path | None,
    resume: bool,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Train a LoRA adapter on an exported set (messages, completions or oversampled): loss on the assistant's tokens, each example with its weight.

    The keys of CONFIG.yaml are those of ebmhw.karl.training.KarlConfig; --example prints one. The folder gets log.jsonl (a line
    a step, for `ebmhw observe`), checkpoints and adapter. Ctrl-C, SIGTERM and time_limit end the run at the end of a step, with a checkpoint. A run
    that is done marks its sessions as trained on in the store, by which `ebmhw karl score` tells when to train anew.

    Exit status: 0 done (with --dry-run: could be done), 2 wrong use or input, 130 interrupted.
    """
    # Nothing is downloaded for a run unless the user's environment says so.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other; give one")
    from ebmhw.karl import training

    given: dict[str, Any] = {name: value for name, value in (("steps", steps), ("data", data), ("output", output)) if value is not None}
    chosen = replace(training.KarlConfig.from_yaml(config), **given)
    sessions = trained_on(chosen.data, store)
    if dry_run:
        planned = training.plan(chosen, resume=resume)
        if as_json:
            terminal.echo_json(planned._asdict() | {"config": planned.config.to_dict()})
        else:
            _print_plan(planned)
        return
    result = training.train(chosen, resume=resume, overwrite=overwrite, progress=_show)
    if result.notice:
        click.echo(f"warning: {result.notice}", err=True)
    options = "".join(f" --{name} {value}" for name, value in (*given.items(), *([] if store is None else [("store", store)])))
    again = f"ebmhw karl train {config}{options} --resume"
    cut = f"{result.ended} after step {result.steps} of {chosen.steps}; to go on: {again}"
    marked = sessions.mark(again) if result.ended == "finished" else None
    if as_json:
        terminal.echo_json(result.to_dict() | {"sessions_marked": marked})
    else:
        _print(result)
        if marked is not None:
            click.echo(f"{marked:,} session{'s' * (marked != 1)} marked as trained on in {sessions.store}")
    if result.ended != "finished":
        click.echo(cut, err=True)
    sys.exit(130 if result.ended == "interrupted" else 0)


def _show(step: KarlStep) -> None:
    width = len(str(step.steps))
    click.echo(
        f"step {step.step:>{width}}/{step.steps}  loss {step.loss:.3f}  nll {step.nll:.3f}  {step.seconds:.1f} s/step  {duration(step.eta_s)} left",
        err=True,
    )


def _print_plan(planned: KarlPlan) -> None:
    config = planned.config
    rows = [
        ("model", f"{planned.model} on {planned.device}"),
        ("examples", f"{planned.examples}, {planned.left_out} left out; {planned.valid} for validation"),
        (
            "tokens",
            f"{planned.tokens:,}, {planned.target_tokens:,} to learn; the longest example has {planned.longest}, {planned.shortened} were cut",
        ),
        ("run", f"{config.steps} steps of {config.batch}: each example {planned.rounds:.1f} times"),
        ("learning rate", f"{config.learning_rate:g}, {config.schedule.name}"),
        ("adapter", f"LoRA of rank {config.lora.rank}, {planned.parameters:,} parameters"),
        ("coherence", f"{config.coherence:g} of the weight" if config.coherence else "off"),
        ("output", config.output + (f", going on after step {planned.resumed_at}" if planned.resumed_at is not None else "")),
    ]
    click.echo(terminal.table(rows))


def _print(result: KarlResult) -> None:
    rows = [(name, *("-" if value is None else f"{value:.4g}" for value in ends)) for name, ends in result.summary.items()]
    if result.valid_before is not None and result.valid_after is not None:
        rows.append(("NLL of validation: before, after", f"{result.valid_before:.4f}", f"{result.valid_after:.4f}"))
    click.echo(terminal.table(rows, ("mean over", "first steps", "last steps")))
    click.echo(f"\n{result.steps} steps on {result.examples} examples, {duration(result.seconds)}: {result.adapter}")
