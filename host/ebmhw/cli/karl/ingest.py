"""`ebmhw karl ingest`: logs into the store."""

from __future__ import annotations

import hashlib
import math
import sys
import time
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ebmhw.cli import terminal
from ebmhw.cli.karl import source

if TYPE_CHECKING:
    from ebmhw.karl import Store
    from ebmhw.karl.rules import Rules
    from ebmhw.karl.trajectory import Trajectory

_BATCH = 200
"""Sessions of one transaction: an interrupted ingest keeps all whole ones."""


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATH]...")
@source.store_option
@source.format_option
@source.rules_option
@click.option(
    "--holdout",
    type=click.FloatRange(0, 0.9),
    default=0.0,
    show_default=True,
    help="Share of tasks whose sessions are held out of training, for eval; those stored earlier are too.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON document.")
def ingest(paths: tuple[Path, ...], store: Path | None, format_name: str, rules: Path | None, holdout: float, as_json: bool) -> None:
    """Read the logs of PATH (files, folders) into the store; without PATH, fold what the taps left.

    Reading the same logs again adds nothing; a session that went on replaces its shorter record. Lines that cannot be read are named by file and
    line and skipped. Held-out tasks are chosen by a hash of the task, so a later ingest holds out the same; further sessions of a task that is held
    out are held out whether --holdout is given or not.

    Exit status: 0, also with skipped lines; 2 where nothing could be read; 130 interrupted (what was stored stays).
    """
    from ebmhw.karl import Store
    from ebmhw.karl.rules import Rules

    if math.isnan(holdout):
        raise click.BadParameter("nan is no share; give 0 to 0.9", param_hint="--holdout")
    if format_name != "auto" and not paths:
        raise click.UsageError(f"--format {format_name} is that of logs; give their PATH, or leave it out to fold what the taps left")
    started = time.monotonic()
    labels = None if rules is None else Rules.read(rules)
    counts: Counter[str] = Counter()
    problems = source.Problems()
    with Store(store) as opened:
        try:
            if paths:
                _read(opened, source.read(paths, format_name, problems), labels, holdout, counts)
            else:
                _fold(opened, labels, holdout, counts, problems)
        except KeyboardInterrupt:
            some = f"{counts['sessions']:,} sessions are" if paths else "what was folded is"
            click.echo(f"stopped; {some} stored: the same command does the rest", err=True)
            sys.exit(130)
        problems.finish()
        if paths and not counts["sessions"]:
            raise click.UsageError(f"no session could be read of {', '.join(map(str, paths))}; give logs of agents, or name their --format")
        seconds = time.monotonic() - started
        told = dict(counts) | {"problems": problems.count, "seconds": round(seconds, 3), "stored": len(opened), "held_out": len(opened.held_out())}
    if as_json:
        terminal.echo_json(told)
        return
    click.echo(terminal.table([(name.replace("_", " "), f"{value:,}") for name, value in told.items()]))


def _read(opened: Store, sessions: Iterable[Trajectory], labels: Rules | None, holdout: float, counts: Counter[str]) -> None:
    from ebmhw.karl.rules import labelled

    counts.update(dict.fromkeys(("sessions", "calls", "verified", "added", "updated", "same"), 0))
    tasks = _held_tasks(opened)
    left = iter(sessions)
    try:
        while batch := [trajectory if labels is None else labelled(trajectory, labels) for trajectory in islice(left, _BATCH)]:
            stored = opened.put_many(batch)
            _hold(opened, batch, holdout, tasks)
            counts.update(stored._asdict())
            counts["sessions"] += len(batch)
            counts["calls"] += sum(trajectory.total_tools for trajectory in batch)
            counts["verified"] += sum(trajectory.outcome.verified is not None for trajectory in batch)
            if sys.stderr.isatty():
                click.echo(f"\r{counts['sessions']:,} sessions, {counts['calls']:,} calls", nl=False, err=True)
    finally:
        if sys.stderr.isatty() and counts["sessions"]:
            click.echo(err=True)
    if holdout:
        _hold_stored(opened, holdout, tasks)


def _fold(opened: Store, labels: Rules | None, holdout: float, counts: Counter[str], problems: source.Problems) -> None:
    from ebmhw.karl.home import home
    from ebmhw.karl.tap import fold

    tasks = _held_tasks(opened)
    folded = fold(home(), opened)
    for text in folded.problems:
        problems.told("the spool", text)
    counts.update(folded=folded.stored, annotated=folded.annotated, empty=folded.empty, left=folded.left)
    if labels is not None:
        counts["labelled"] = opened.relabel(source.labels_by(labels))
    if holdout or tasks:
        _hold_stored(opened, holdout, tasks)


def _held_tasks(opened: Store) -> set[str]:
    return {scored.trajectory.task_key for scored in opened.trajectories(held_out=True)}


def _hold_stored(opened: Store, share: float, tasks: set[str]) -> None:
    _hold(opened, (scored.trajectory for scored in opened.trajectories(held_out=False)), share, tasks)


def _hold(opened: Store, sessions: Iterable[Trajectory], share: float, tasks: set[str]) -> None:
    """Hold out the sessions whose task is held out: all trials of a task, or none."""
    held = [one.id for one in sessions if one.task_key in tasks or _number(one.task_key) < share]
    if held:
        opened.hold_out(held)


def _number(task: str) -> float:
    """Return a number within 0 to 1 that is the task's own."""
    return int.from_bytes(hashlib.sha256(task.encode("utf-8", "replace")).digest()[:8], "big") / 2**64
