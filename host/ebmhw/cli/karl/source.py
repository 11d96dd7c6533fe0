"""Where the commands take their sessions from: the store, or files read for the occasion."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ebmhw.karl import Store
    from ebmhw.karl.readers.reader import Problem
    from ebmhw.karl.reward import Reward
    from ebmhw.karl.trajectory import Trajectory

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

SHOWN_PROBLEMS = 10

store_option: Decorator = click.option(
    "--store", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="The store.  [default: trajectories.sqlite in $EBMHW_KARL_HOME]"
)
traces_option: Decorator = click.option(
    "--traces", multiple=True, type=click.Path(exists=True, path_type=Path), metavar="PATH", help="Files or folders of logs, instead of the store."
)
format_option: Decorator = click.option("--format", "format_name", default="auto", show_default=True, metavar="NAME", help="Format of the logs.")
rules_option: Decorator = click.option(
    "--rules", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE", help="YAML of rules for skills and domains."
)
half_life_option: Decorator = click.option(
    "--half-life", type=click.FloatRange(min=0, min_open=True), metavar="DAYS", help="Let older sessions weigh less in the baselines."
)
per_user_option: Decorator = click.option("--per-user", is_flag=True, help="Baselines of each user, drawn towards those of the domain.")


class Sessions(NamedTuple):
    """Sessions with their rewards, side by side.

    Attributes
    ----------
    trajectories, rewards : one for each session
    held_out : ids that no training set may hold: those marked in the store, and others of their tasks
    problems : lines and files that could not be read
    trained : {id: when it was trained on last, Unix seconds}, as far as the store knows; None of logs
    """

    trajectories: list[Trajectory]
    rewards: list[Reward]
    held_out: frozenset[str]
    problems: int = 0
    trained: dict[str, float] | None = None

    def advantages(self, half_life: float | None = None, per_user: bool = False) -> npt.NDArray[np.float64]:
        """Return the advantage of each session; those held out do not enter the baselines."""
        from ebmhw.karl.baselines import advantages

        return advantages(self.trajectories, self.rewards, half_life_days=half_life, per_user=per_user, exclude=self.held_out)


class Problems:
    """What could not be read: counted, the first of them printed to standard error as they come."""

    def __init__(self) -> None:
        self.count = 0
        self.files: Counter[str] = Counter()

    def __call__(self, problem: Problem) -> None:
        """Take a problem."""
        self.told(problem.path, str(problem))

    def told(self, path: str, text: str) -> None:
        """Take what is wrong in a file, by its path and the whole message."""
        self.count += 1
        self.files[path] += 1
        if self.count <= SHOWN_PROBLEMS:
            click.echo(f"warning: {word(text, 1000)}", err=True)

    def finish(self) -> None:
        """Say how many more there were."""
        if self.count > SHOWN_PROBLEMS:
            more = self.count - SHOWN_PROBLEMS
            click.echo(f"warning: {more} more problem{'s' * (more > 1)}; {len(self.files)} file{'s' * (len(self.files) > 1)} had some", err=True)


def word(text: str, limit: int = 60) -> str:
    """Return a text of a log as it may stand in a terminal, on one line, a long one cut."""
    from ebmhw.verify.marking import visible

    shown = " ".join(visible(text[: limit + 1]).split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def read(paths: tuple[Path, ...], format_name: str, problems: Problems) -> Iterator[Trajectory]:
    """Yield the sessions of files and folders; of several, those that cannot be read are problems, unless none can."""
    from ebmhw.errors import InvalidFile
    from ebmhw.karl import read_traces
    from ebmhw.karl.readers.reader import Problem

    failures: list[InvalidFile] = []
    for path in paths:
        try:
            yield from read_traces(path, format=format_name, on_problem=problems)
        except InvalidFile as error:
            failures.append(error)
            if len(failures) == len(paths):
                raise
            problems(Problem(f"{path}", None, f"{str(error).removeprefix(f'{path}: ')}; it is skipped"))


def sessions_of(
    store: Path | None,
    traces: tuple[Path, ...],
    format_name: str = "auto",
    rules: Path | None = None,
    *,
    anew: bool = False,
    paper_compat: bool = False,
) -> Sessions:
    """Return the sessions of the store, or of ``traces`` where there are any; never none.

    Parameters
    ----------
    anew : score all, also those whose score the store holds
    paper_compat : as of `ebmhw.karl.reward.score`
    """
    from ebmhw.karl import score
    from ebmhw.karl.relatives import relatives
    from ebmhw.karl.rules import Rules, labelled

    if traces and store is not None:
        raise click.UsageError("--store and --traces exclude each other; give one")
    if format_name != "auto" and not traces:
        raise click.UsageError(f"--format {format_name} is that of logs; give them by --traces PATH, or leave it out")
    found = Sessions([], [], frozenset())
    labels = None if rules is None else Rules.read(rules)
    if traces:
        problems = Problems()
        kept: dict[str, Trajectory] = {}
        for trajectory in read(traces, format_name, problems):
            # As in a store: of a session that is there twice, the longer one.
            if trajectory.id not in kept or _length(trajectory) > _length(kept[trajectory.id]):
                kept[trajectory.id] = trajectory
        problems.finish()
        found.trajectories.extend(trajectory if labels is None else labelled(trajectory, labels) for trajectory in kept.values())
        found.rewards.extend(score(trajectory, paper_compat=paper_compat) for trajectory in found.trajectories)
        found = found._replace(problems=problems.count)
    else:
        with opened(store) as records:
            moments = {one: records.trained_at(one) for one in records.ids(trained=True)}
            found = found._replace(held_out=frozenset(records.held_out()), trained={one: at for one, at in moments.items() if at is not None})
            for scored in records:
                trajectory = scored.trajectory if labels is None else labelled(scored.trajectory, labels)
                known = None if anew or paper_compat else scored.reward
                found.trajectories.append(trajectory)
                found.rewards.append(score(trajectory, paper_compat=paper_compat) if known is None else known)
        # What a tap stored since the last ingest has no mark yet.
        if found.held_out:
            found = found._replace(held_out=relatives(found.trajectories, found.held_out))
    if not found.trajectories:
        where = f"{', '.join(map(str, traces))}" if traces else f"the store {store_path(store)}"
        raise click.UsageError(f"there are no sessions in {where}; `ebmhw karl ingest PATH` fills the store, --traces PATH reads logs without it")
    return found


def store_path(store: Path | None) -> Path:
    """Return the file of the store."""
    from ebmhw.karl.home import STORE, home

    return home() / STORE if store is None else store


def opened(store: Path | None) -> Store:
    """Return the store, opened for reading; it has to be there."""
    from ebmhw.karl import Store

    path = store_path(store)
    if not os.path.lexists(path):
        raise click.UsageError(f"there is no store {path}; `ebmhw karl ingest PATH` makes one of logs, --traces PATH reads logs without it")
    return Store(path, read_only=True)


def check_apart(option: str, output: str | os.PathLike[str] | None, *inputs: Path | None) -> None:
    """Refuse an output that would overwrite what is read."""
    for path in inputs:
        if output is None or path is None or not os.path.exists(output) or not path.exists():
            continue
        target, source = Path(output).resolve(), path.resolve()
        if target == source or source in target.parents:
            raise click.UsageError(f"{option} {output} belongs to what is read, {path}, which would be overwritten; give another path")


def check_folder(name: str, folder: Path) -> None:
    """Refuse a folder that can neither be made nor written, before any work is done."""
    at = folder.absolute()
    while not os.path.lexists(at):
        at = at.parent
    if not at.is_dir() or not os.access(at, os.W_OK | os.X_OK):
        raise click.UsageError(f"{name} {folder} cannot be written: {at} is not a folder where files can be made; give another path")


def chosen_of(path: Path, sessions: Sessions) -> dict[str, Any]:
    """Return what `ebmhw karl select --output` wrote; its ids are all among the sessions, its weights finite and from 0 up."""
    try:
        data = json.loads(path.read_bytes())
        ids, weights = data["ids"], data["weights"]
        if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids) or len(set(ids)) < len(ids):
            raise TypeError
        if not isinstance(weights, list) or len(weights) != len(ids) or not all(_is_weight(one) for one in weights):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise click.UsageError(f"--chosen {path} holds no selection; give a file that `ebmhw karl select --output` wrote") from None
    missing = set(ids) - {one.id for one in sessions.trajectories}
    if missing:
        raise click.UsageError(
            f"--chosen {path}: {len(missing)} of its {len(ids)} sessions are not here, such as {word(min(missing))}; "
            "give the store or the logs that they were chosen from, or select anew"
        )
    return dict(data)


def _is_weight(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1e30


def _length(trajectory: Trajectory) -> tuple[int, int, float]:
    return trajectory.total_tools, len(trajectory.turns), trajectory.ended_at or 0.0
