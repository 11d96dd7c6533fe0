"""What a set of sessions is worth to train on: drawn at random, by advantage, or chosen as a quadratic problem on a sampler.

    python -m ebmhw.bench.karl.training TRACES FOLDER

For each seed the tasks are split, so that no held-out session has a task that was trained on; each method chooses as many sessions of the rest; an
adapter is trained on each choice, all examples weighing alike, so that nothing but the choice differs; and it is read on the held-out sessions
against the model without it. What is finished is kept in the folder: a run that was cut goes on there, and processes may share the cells of one
folder by methods and seeds.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from ebmhw.bench.karl.training_rows import BASE, METHODS, Cell, Rows, Settings, rows_in
from ebmhw.errors import ConfigError, ValidationError, shown
from ebmhw.files import write_whole
from ebmhw.karl.evaluation.evaluation import evaluate
from ebmhw.karl.evaluation.labels import labels_of
from ebmhw.karl.evaluation.tables import estimate, number
from ebmhw.karl.training.examples import digest
from ebmhw.karl.trajectory import Trajectory

Say = Callable[[str], object]


def run_comparison(
    data: str | os.PathLike[str] | Sequence[Trajectory],
    folder: str | os.PathLike[str],
    settings: Settings | None = None,
    *,
    methods: Sequence[str] = tuple(METHODS),
    seeds: Sequence[int] = (0, 1, 2),
    threads: int = 1,
    time_limit: float | None = None,
    say: Say = lambda text: None,
) -> Rows:
    """Return the cells of methods and seeds, those in the folder as they are, the others trained and read, and all others that lie there.

    Parameters
    ----------
    data : a file or folder of traces, or sessions
    folder : gets settings.json, cells/METHOD-SEED.json and runs/METHOD-SEED
    methods : of `METHODS`
    threads : of torch
    time_limit : seconds after which no further cell is begun, and a training run ends with a checkpoint, from which the next call goes on
    say : told what is done, a line each

    Raises
    ------
    ConfigError : the folder holds cells of other settings, or there are too few sessions or tasks
    """
    asked = settings if settings is not None else Settings()
    unknown = [one for one in methods if one not in METHODS]
    if unknown:
        raise ConfigError(f"method {shown(unknown[0])} does not exist; give some of {', '.join(METHODS)}")
    base = Path(folder)
    (base / "cells").mkdir(parents=True, exist_ok=True)
    if isinstance(data, (str, os.PathLike)):
        from ebmhw.karl.readers import read_traces

        sessions = list(read_traces(data))
    else:
        sessions = list(data)
    _keep_settings(base, asked, sessions)
    usable = [one for one in sessions if one.total_tools >= 2 and _has_example(one)]
    say(f"{len(sessions)} sessions, {len(usable)} with two calls or more, of {len({one.task_key for one in usable})} tasks")
    end = None if time_limit is None else time.monotonic() + time_limit
    for seed in seeds:
        trained, held = split(usable, asked.held_out, seed)
        if len(trained) < asked.size or not held:
            raise ConfigError(
                f"seed {seed}: there are {len(trained)} sessions to choose {asked.size} of, and {len(held)} held out; give more sessions"
            )
        for method in (BASE, *methods):
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                say("the time limit is reached")
                return rows_in(base, asked)
            path = base / "cells" / f"{method}-{seed}.json"
            if path.is_file():
                continue
            cell = _cell(base, asked, method, seed, trained, held, threads, left, say)
            if cell is None:
                say("the time limit is reached")
                return rows_in(base, asked)
            _write(path, cell.to_dict())
    return rows_in(base, asked)


def split(sessions: Sequence[Trajectory], held_out: float, seed: int) -> tuple[list[Trajectory], list[Trajectory]]:
    """Return sessions to train on and sessions held out, which have no task in common; ``held_out`` is the share of tasks.

    Tasks with both good and bad sessions and the others are drawn apart: a gap within tasks needs some of the former, and they may be few.
    """
    good = labels_of(sessions).good
    kinds: dict[str, set[bool | None]] = {}
    for one, label in zip(sessions, good, strict=True):
        kinds.setdefault(one.task_key, set()).add(label)
    rng = np.random.default_rng(seed)
    chosen: set[str] = set()
    for mixed in (True, False):
        tasks = sorted(task for task, found in kinds.items() if ({True, False} <= found) is mixed)
        chosen |= {tasks[place] for place in rng.permutation(len(tasks))[: round(held_out * len(tasks))].tolist()}
    return [one for one in sessions if one.task_key not in chosen], [one for one in sessions if one.task_key in chosen]


def _cell(
    folder: Path,
    settings: Settings,
    method: str,
    seed: int,
    trained: Sequence[Trajectory],
    held: Sequence[Trajectory],
    threads: int,
    time_limit: float | None,
    say: Say,
) -> Cell | None:
    """Return a cell, None where its training was cut."""
    adapter, loss, train_seconds, choice = None, None, None, None
    chosen: tuple[Trajectory, ...] = ()
    if method != BASE:
        from ebmhw.karl import exports
        from ebmhw.karl.selection import select
        from ebmhw.karl.training import KarlConfig, KarlStep, train

        choice = select(trained, settings.size, METHODS[method], seed=seed)
        chosen = tuple(choice.of(trained))
        run = folder / "runs" / f"{method}-{seed}"
        config = KarlConfig(
            model=settings.model,
            output=str(run),
            steps=settings.steps,
            batch=settings.batch,
            max_tokens=settings.max_tokens,
            learning_rate=settings.learning_rate,
            weights=False,
            seed=seed,
            threads=threads,
            device="cpu",
            checkpoint_every=20,
            time_limit=time_limit,
        )

        def told(step: KarlStep) -> None:
            if step.step % 10 == 0 or step.step == 1:
                say(f"  step {step.step}/{step.steps}: loss {step.loss:.3f}, {step.seconds:.1f} s, {step.eta_s:.0f} s left")

        say(f"{method}, seed {seed}: {len(chosen)} of {len(trained)} sessions chosen in {choice.seconds:.2f} s")
        result = train(config, examples=[exports.example_of(one) for one in chosen], resume=(run / "config.yaml").is_file(), progress=told)
        if result.ended == "interrupted":
            raise KeyboardInterrupt
        if result.ended != "finished":
            return None
        first, last = result.summary["loss"]
        loss = None if first is None or last is None else (first, last)
        adapter, train_seconds = result.adapter, result.seconds
    found = evaluate(settings.model, adapter, held, max_tokens=settings.evaluation_tokens, threads=threads, device=None)
    figures = found.all
    nll = None if figures.nll is None else figures.nll.value
    say(f"{method}, seed {seed}: {len(held)} held-out sessions in {found.seconds:.0f} s: NLL {number(nll)}, gap {estimate(figures.gap)}")
    return Cell(
        method=method,
        seed=seed,
        figures=found.sessions,
        labels=found.labels,
        loss=loss,
        chosen=tuple(one.id for one in chosen),
        chosen_good=_share_good(chosen),
        objective=None if choice is None else choice.objective,
        coverage=None if choice is None else choice.coverage,
        effective_size=None if choice is None else choice.effective_size,
        train_seconds=train_seconds,
        evaluation_seconds=found.seconds,
    )


def _share_good(chosen: Sequence[Trajectory]) -> float | None:
    known = [one for one in labels_of(chosen).good if one is not None] if chosen else []
    return sum(known) / len(known) if known else None


def _has_example(trajectory: Trajectory) -> bool:
    from ebmhw.karl import exports

    try:
        exports.example_of(trajectory)
    except ValidationError:
        return False
    return True


def _keep_settings(folder: Path, settings: Settings, sessions: Sequence[Trajectory]) -> None:
    path = folder / "settings.json"
    told = vars(settings) | {"sessions": digest(sorted(one.id for one in sessions))}
    if path.is_file():
        earlier = json.loads(path.read_bytes())
        other = [name for name, value in told.items() if earlier.get(name) != value]
        if other:
            name = other[0]
            raise ConfigError(
                f"{name} is {shown(told[name])}, but the cells in {folder} have {shown(earlier.get(name))}; give that, or another folder",
                context={"key": name},
            )
        return
    _write(path, told)


def _write(path: Path, told: Any) -> None:
    text = json.dumps(told, indent=1, allow_nan=False) + "\n"
    write_whole(path, lambda stream: stream.write(text.encode()))


@click.command()
@click.argument("traces", type=click.Path(exists=True))
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--methods", default=",".join(METHODS), show_default=True)
@click.option("--seeds", default="0,1,2", show_default=True)
@click.option("--steps", default=Settings.steps, show_default=True)
@click.option("--size", default=Settings.size, show_default=True)
@click.option("--batch", default=Settings.batch, show_default=True)
@click.option("--learning-rate", default=Settings.learning_rate, show_default=True)
@click.option("--max-tokens", default=Settings.max_tokens, show_default=True)
@click.option("--held-out", default=Settings.held_out, show_default=True)
@click.option("--model", default=Settings.model, show_default=True)
@click.option("--threads", default=1, show_default=True)
@click.option("--time-limit", type=float, default=None)
def main(traces: str, folder: str, methods: str, seeds: str, threads: int, time_limit: float | None, **given: Any) -> None:
    """Train on sets of sessions from TRACES that were chosen in different ways, and read the adapters on held-out tasks; finished cells are kept."""
    rows = run_comparison(
        traces,
        folder,
        Settings(**given),
        methods=methods.split(","),
        seeds=[int(one) for one in seeds.split(",")],
        threads=threads,
        time_limit=time_limit,
        say=click.echo,
    )
    click.echo(rows.table())
    _write(Path(folder) / "rows.json", rows.to_dict())


if __name__ == "__main__":
    main()
