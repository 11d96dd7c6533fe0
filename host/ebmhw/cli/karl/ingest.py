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
    from ebmhw.karl.rules import Event, Rules
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
@click.option(
    "--events",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="JSONL of another system's events about sessions, noted to those that are stored.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON document.")
def ingest(
    paths: tuple[Path, ...], store: Path | None, format_name: str, rules: Path | None, holdout: float, events: tuple[Path, ...], as_json: bool
) -> None:
    """Read the logs of PATH (files, folders) into the store; without PATH, fold what the taps left.

    Reading the same logs again adds nothing; a session that went on replaces its shorter record. Lines that cannot be read are named by file and
    line and skipped. Held-out tasks are chosen by a hash of the task, so a later ingest holds out the same; further sessions that share a
    task, a prompt or the session with a held-out one are held out whether --holdout is given or not.

    A line of --events is {"session_id", "kind": correction, redo, routing or invocation, "time", "skill", "domain"}: corrections and redos change the
    outcome and the reward of the session that went on then or ended up to 5 minutes before, the others label it.

    Exit status: 0, also with skipped lines; 2 where nothing could be read; 130 interrupted (what was stored stays).
    """
    from ebmhw.karl import Store
    from ebmhw.karl.rules import Rules
    from ebmhw.karl.store import absorb, tell

    if math.isnan(holdout):
        raise click.BadParameter("nan is no share; give 0 to 0.9", param_hint="--holdout")
    if format_name != "auto" and not paths:
        raise click.UsageError(f"--format {format_name} is that of logs; give their PATH, or leave it out to fold what the taps left")
    started = time.monotonic()
    labels = None if rules is None else Rules.read(rules)
    counts: Counter[str] = Counter()
    problems = source.Problems()
    told_of = _events(events, problems)
    with Store(store) as opened:
        try:
            if paths:
                _read(opened, source.read(paths, format_name, problems), labels, holdout, counts)
            else:
                _fold(opened, labels, holdout, counts, problems)
            if gone := absorb(opened):
                counts["absorbed"] = gone
            if events:
                done = tell(opened, told_of)
                counts.update(events=len(told_of), events_without_session=len(done.left), sessions_changed=len(done.records))
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
    _hold_relatives(opened)


def _fold(opened: Store, labels: Rules | None, holdout: float, counts: Counter[str], problems: source.Problems) -> None:
    from ebmhw.karl.home import home
    from ebmhw.karl.tap import fold

    tasks = _held_tasks(opened)
    folded = fold(home(), opened)
    for text in folded.problems:
        problems.told("the spool", text)
    counts.update(folded=folded.stored, annotated=folded.annotated, empty=folded.empty, left=folded.left)
    if labels is not None:
        counts["labelled"] = opened.relabel(labels)
    if holdout or tasks:
        _hold_stored(opened, holdout, tasks)
    _hold_relatives(opened)


def _events(paths: tuple[Path, ...], problems: source.Problems) -> list[Event]:
    """Return the events of files; lines that hold none are problems, and files of which no line does are refused."""
    from ebmhw.errors import InvalidTrajectory
    from ebmhw.karl.readers.lines import objects
    from ebmhw.karl.readers.reader import Problem
    from ebmhw.karl.rules import Event

    found: list[Event] = []
    for path in paths:
        before = len(found)
        try:
            with open(path, "rb") as stream:
                for number, value in objects(stream, path, problems):
                    try:
                        found.append(Event.of(value))
                    except InvalidTrajectory as error:
                        problems(Problem(f"{path}", number, f"{error}; the line is skipped"))
        except OSError as error:
            raise click.UsageError(f"--events {path} cannot be read: {error.strerror or error}; give a file of JSON lines") from None
        if len(found) == before:
            raise click.UsageError(f'--events {path} holds no event; give lines such as {{"session_id": "...", "kind": "correction", "time": "..."}}')
    return found


def _held_tasks(opened: Store) -> set[str]:
    return {scored.trajectory.task_key for scored in opened.trajectories(held_out=True)}


def _hold_stored(opened: Store, share: float, tasks: set[str]) -> None:
    _hold(opened, (scored.trajectory for scored in opened.trajectories(held_out=False)), share, tasks)


def _hold(opened: Store, sessions: Iterable[Trajectory], share: float, tasks: set[str]) -> None:
    """Hold out the sessions whose task is held out: all trials of a task, or none."""
    held = [one.id for one in sessions if one.task_key in tasks or _number(one.task_key) < share]
    if held:
        opened.hold_out(held)


def _hold_relatives(opened: Store) -> None:
    """Hold out what shares a prompt or a session with a held-out one, too."""
    from ebmhw.karl.relatives import relatives

    held = opened.held_out()
    if held and (more := relatives((scored.trajectory for scored in opened), held) - held):
        opened.hold_out(more)


def _number(task: str) -> float:
    """Return a number within 0 to 1 that is the task's own."""
    return int.from_bytes(hashlib.sha256(task.encode("utf-8", "replace")).digest()[:8], "big") / 2**64
