"""evaluate: what a model, with an adapter or without, takes of sessions that it was not trained on.

Sessions are read, not scored: how good they were is known before, and says nothing of an adapter.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ebmhw.errors import BudgetError, ConfigError, ValidationError, shown
from ebmhw.karl.evaluation.figures import LEAST_TASKS, Figures, SessionFigures, figures_of, tool_hits
from ebmhw.karl.evaluation.guessing import Guesses, guesses
from ebmhw.karl.evaluation.labels import Labels, labels_of
from ebmhw.karl.evaluation.plans import tool_spans
from ebmhw.karl.training.tokens import Template, Tokens, shortened
from ebmhw.karl.trajectory import Trajectory
from ebmhw.numbers import whole

MAX_TOKENS = 512
"""Of an example, where nothing is said, unless the model's context is smaller."""

ExampleOf = Callable[[Trajectory], "Mapping[str, Any] | None"]
"""Returns the example that a session would be trained on, {"messages": [...]}; None, or a ValidationError, for a session that makes none."""


class Evaluation(NamedTuple):
    """What a model takes of held-out sessions.

    Attributes
    ----------
    model, adapter : what was asked; adapter None for the model alone
    labels : what says which sessions are good, as of `ebmhw.karl.evaluation.labels`
    all : over all sessions
    domains : {domain: over its sessions}
    sessions : those that were read
    asked, without_plan, shortened : sessions given, those that make no example, and those whose text lost tokens to max_tokens
    seconds : of the whole
    failure : why not all were read, or None
    """

    model: str
    adapter: str | None
    labels: str
    all: Figures
    domains: dict[str, Figures]
    sessions: tuple[SessionFigures, ...]
    asked: int
    without_plan: int
    shortened: int
    seconds: float
    failure: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the evaluation as JSON can hold it."""
        return self._asdict() | {
            "all": self.all.to_dict(),
            "domains": {name: figures.to_dict() for name, figures in self.domains.items()},
            "sessions": [one._asdict() for one in self.sessions],
        }

    def table(self) -> str:
        """Return two tables, of likelihood and of next tools, with a row for all sessions and one for each domain, and what they are of, as text."""
        from ebmhw.karl.evaluation.tables import figures_table, tools_table

        rows = {"all": self.all, **self.domains}
        return "\n\n".join((figures_table(rows), f"next tool: share of steps\n{tools_table(rows)}", self.notes()))

    def notes(self) -> str:
        """Return what the figures are of, and how they are to be read, as lines of text."""
        known = f"{self.all.good} good, {self.all.bad} bad, {self.all.unknown} unknown by {self.labels}"
        lines = [
            f"{self.asked} sessions: {len(self.sessions)} read ({known}), {self.without_plan} without a plan, {self.shortened} cut to max_tokens",
            "gap: NLL bad less NLL good, nats a token; above 0 is good: the model takes good sessions for likelier than bad ones",
            f"n: tasks; of fewer than {LEAST_TASKS} there is no interval",
            "most frequent, repeat last, bigram: guesses without a model, by the sessions of all other tasks",
        ]
        return "\n".join(lines if self.failure is None else [*lines, f"cut: {self.failure}"])


def evaluate(
    model: str | None,
    adapter: str | os.PathLike[str] | None,
    trajectories: Sequence[Trajectory],
    labels: Sequence[bool | None] | str = "auto",
    *,
    rewards: Sequence[float] | None = None,
    example_of: ExampleOf | None = None,
    max_tokens: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    device: str | None = None,
    time_limit: float | None = None,
    other_base: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> Evaluation:
    """Return what a model takes of sessions: the NLL of what the agent did, good against bad, and the tools that it would have called next.

    Parameters
    ----------
    model : as of `ebmhw.coherence.capture.loading.load_causal_lm`; None for the one that the adapter names
    adapter : folder of an adapter on it, or None
    trajectories : sessions that neither was trained on
    labels, rewards : which are good, as of `ebmhw.karl.evaluation.labels.labels_of`
    example_of : the example of a session, None for that of `ebmhw.karl.exports.example_of`
    max_tokens : of an example; of longer ones the prompt loses its start. None for `MAX_TOKENS`, or the model's context where that is less
    seed : of the bootstrap
    threads : of torch on a CPU, None leaves them
    device : None for the CPU
    time_limit : seconds; at the limit the sessions read so far are reported, and ``failure`` says so
    other_base : take an adapter that names another base than the model, say the same under another name
    progress : called after each session with those done, and those there are

    Raises
    ------
    ConfigError : an argument that cannot be, no session, none that makes an example, or an adapter of another base
    ModelLoadError, MissingExtra : the model, its adapter, or libraries
    """
    count = MAX_TOKENS if max_tokens is None else whole(max_tokens)
    if count is None or count < 16:
        raise ConfigError(f"max_tokens of an evaluation is {shown(max_tokens)}; give a whole number from 16 up")
    if time_limit is not None and not time_limit > 0:
        raise ConfigError(f"time_limit of an evaluation is {shown(time_limit)}; give seconds above 0")
    if model is None:
        if adapter is None:
            raise ConfigError("neither a model nor an adapter is given; name one")
        from ebmhw.coherence.gates.evaluation import base_of

        model = base_of(adapter)
    if not trajectories:
        raise ConfigError("there is no session to evaluate on; give some that the adapter was not trained on")
    if adapter is not None and not other_base:
        from ebmhw.karl.evaluation.bases import check_base

        check_base(adapter, model)
    known = labels_of(trajectories, labels, rewards)
    begun = time.monotonic()
    from ebmhw.coherence.capture.loading import load_causal_lm
    from ebmhw.karl.evaluation.forward import context_of

    loaded = load_causal_lm(model, adapter, device=device)
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    if max_tokens is None:
        count = min(count, context_of(loaded.model) or count)
    rows, places, lost = rows_of(trajectories, Template(loaded.tokenizer, model), example_of, count)
    if not rows:
        raise ConfigError(f"none of the {len(trajectories)} sessions makes an example, a prompt and a plan; give others")
    sessions, failure = _read(loaded.model, rows, [trajectories[at] for at in places], [known.good[at] for at in places], begun, time_limit, progress)
    return evaluation_of(
        sessions,
        model=loaded.name if adapter is None else model,
        adapter=None if adapter is None else str(Path(adapter)),
        labels=known,
        asked=len(trajectories),
        without_plan=len(trajectories) - len(rows),
        shortened=lost,
        seconds=time.monotonic() - begun,
        failure=failure,
        seed=seed,
    )


def evaluation_of(sessions: Sequence[SessionFigures], *, labels: Labels, seed: int = 0, **known: Any) -> Evaluation:
    """Return the evaluation of sessions that were read; ``known`` are its other members."""
    domains: dict[str, list[SessionFigures]] = {}
    for one in sessions:
        domains.setdefault(one.domain, []).append(one)
    return Evaluation(
        labels=labels.source,
        all=figures_of(sessions, seed),
        domains={name: figures_of(found, seed) for name, found in sorted(domains.items())},
        sessions=tuple(sessions),
        **known,
    )


def rows_of(
    trajectories: Sequence[Trajectory], template: Template, example_of: ExampleOf | None, max_tokens: int
) -> tuple[list[Tokens], list[int], int]:
    """Return the sessions' examples as tokens with their tools marked, which sessions these are, and how many of them were shortened."""
    if example_of is None:
        from ebmhw.karl import exports

        example_of = exports.example_of
    rows, places, lost = [], [], 0
    for place, trajectory in enumerate(trajectories):
        try:
            example = example_of(trajectory)
        except ValidationError:
            continue
        row = None if example is None else shortened(template.tokens(example["messages"], tool_spans), max_tokens)
        if row is None or not any(row.target):
            continue
        rows.append(row)
        places.append(place)
        lost += row.cut > 0
    return rows, places, lost


def guesses_of(rows: Sequence[Tokens], tasks: Sequence[str]) -> list[Guesses]:
    """Return what guesses without a model get right of the steps that each row holds."""
    tools = []
    for row in rows:
        judged = sorted({group for group, wanted in zip(row.group, row.target, strict=True) if wanted and group >= 0})
        tools.append([row.marked[group] for group in judged])
    return guesses(tools, tasks)


def _read(
    model: Any,
    rows: Sequence[Tokens],
    trajectories: Sequence[Trajectory],
    good: Sequence[bool | None],
    begun: float,
    time_limit: float | None,
    progress: Callable[[int, int], object] | None,
) -> tuple[list[SessionFigures], str | None]:
    from ebmhw.karl.evaluation.forward import seen

    def check() -> None:
        if time_limit is not None and time.monotonic() - begun > time_limit:
            raise BudgetError("the time is over")

    found: list[SessionFigures] = []
    guessed = guesses_of(rows, [trajectory.task_key for trajectory in trajectories])
    try:
        for one, trajectory, label in zip(seen(model, rows, check), trajectories, good, strict=True):
            hits, steps = tool_hits(one)
            right = guessed[len(found)]
            nll = -float(one.logprob.mean())
            told = (trajectory.id, trajectory.domain_or_global, trajectory.task_key)
            found.append(SessionFigures(*told, label, nll, int(one.logprob.size), hits, steps, *right))
            if progress is not None:
                progress(len(found), len(rows))
    except BudgetError:
        return found, f"the time limit of {time_limit:g} s ended the evaluation after {len(found)} of {len(rows)} sessions; give more time or fewer"
    return found, None
