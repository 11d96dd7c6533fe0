"""`ebmhw karl eval`: an adapter on sessions that it was not trained on."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ebmhw.cli import terminal
from ebmhw.cli.karl import source

if TYPE_CHECKING:
    from ebmhw.karl.evaluation import Evaluation


@click.command("eval")
@click.argument("adapter", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--base", metavar="NAME", help="Model of the adapter.  [default: the one it names, else smollm2]")
@click.option(
    "--against", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR", help="An earlier adapter, instead of the base."
)
@source.store_option
@source.traces_option
@source.format_option
@source.rules_option
@click.option("--all", "everything", is_flag=True, help="All sessions of the store, not only those held out.")
@click.option("--labels", type=click.Choice(["auto", "verified", "reward"]), default="auto", show_default=True, help="What tells good sessions.")
@click.option("--max-tokens", type=click.IntRange(16, 1_000_000), help="Tokens of a session that are read.  [default: 512, or the model's context]")
@click.option("--threads", type=click.IntRange(1, 1024), help="Of torch.  [default: its own choice]")
@click.option("--device", metavar="NAME", help="Where the model runs, such as cuda.  [default: the CPU]")
@click.option("--time-limit", type=click.FloatRange(0, min_open=True), metavar="S", help="Seconds for each model; what was read until then counts.")
@click.option("--other-base", is_flag=True, help="Take an adapter that names another base than --base, say the same under another name.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, with every session.")
def evaluate(
    adapter: Path | None,
    base: str | None,
    against: Path | None,
    store: Path | None,
    traces: tuple[Path, ...],
    format_name: str,
    rules: Path | None,
    everything: bool,
    labels: str,
    max_tokens: int | None,
    threads: int | None,
    device: str | None,
    time_limit: float | None,
    other_base: bool,
    as_json: bool,
) -> None:
    """Read held-out sessions with ADAPTER, and with its base (or --against an earlier adapter); without ADAPTER with the base alone.

    Printed: the NLL a token of what the agent did in good sessions and in bad ones, the gap between them, how often the model's next tool is the
    one that was called, by domain, and what became worse. Nothing recorded is scored again: how good the sessions were is no news of an adapter.

    Exit status: 0; 1 where a figure over all sessions became worse by more than .02; 2 wrong use or input; 3 where a time limit cut the reading.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from ebmhw.karl import evaluation

    if against is not None and adapter is None:
        raise click.UsageError("--against compares two adapters; give ADAPTER too")
    model = base or _base_of(adapter)
    sessions = source.sessions_of(store, traces, format_name, rules)
    if time_limit is not None and math.isnan(time_limit):
        raise click.BadParameter("nan is no number of seconds; give some above 0", param_hint="--time-limit")
    held = [i for i, one in enumerate(sessions.trajectories) if everything or traces or one.id in sessions.held_out]
    if everything and traces:
        raise click.UsageError("--all is of the store; the sessions of --traces are all read")
    if not held:
        raise click.UsageError("no session of the store is held out; `ebmhw karl ingest --holdout SHARE` holds some out, --all takes all")
    chosen = [sessions.trajectories[i] for i in held]
    rewards = [sessions.rewards[i].total for i in held]

    def run(folder: Path | None) -> Evaluation:
        name = model if folder is None else f"{folder}"
        return evaluation.evaluate(
            model,
            folder,
            chosen,
            labels,
            rewards=rewards,
            max_tokens=max_tokens,
            threads=threads,
            device=device,
            time_limit=time_limit,
            other_base=other_base,
            progress=_progress(name),
        )

    before = run(against)
    after = before if adapter is None else run(adapter)
    compared = None if adapter is None or not before.sessions or not after.sessions else evaluation.regression(before, after)
    spread = evaluation.domain_spread(after)
    if as_json:
        terminal.echo_json(
            {
                "before": before.to_dict(),
                "after": None if adapter is None else after.to_dict(),
                "regression": None if compared is None else compared.to_dict(),
                "spread": spread._asdict(),
            }
        )
    else:
        click.echo(f"{len(after.sessions)} sessions, good by {after.labels}\n")
        click.echo(after.table())
        if compared is not None:
            click.echo(f"\nagainst {model if against is None else against}\n{compared.table()}")
        click.echo(f"\n{evaluation.evenness(spread)}")
    for one in (before, after):
        if one.failure is not None:
            click.echo(f"cut: {one.failure}", err=True)
    worse = compared is not None and any(change.regressed for change in compared.all.values())
    sys.exit(3 if before.failure or after.failure else int(worse))


def _base_of(adapter: Path | None) -> str:
    """Return the model that an adapter names; what was trained here names "smollm2" as such."""
    if adapter is None:
        return "smollm2"
    try:
        named = json.loads((adapter / "adapter_config.json").read_bytes()).get("base_model_name_or_path")
    except (OSError, ValueError, AttributeError, RecursionError):
        raise click.UsageError(f"{adapter} has no adapter_config.json that can be read; give a folder that peft wrote") from None
    return named if isinstance(named, str) and named else "smollm2"


def _progress(name: str) -> Callable[[int, int], None]:
    def show(done: int, count: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{name}: {done} of {count} sessions", nl=done == count, err=True)

    return show
