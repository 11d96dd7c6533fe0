"""Options and steps that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ebmhw.backends import Progress
    from ebmhw.problems.reading import Problem

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def seconds(value: str) -> float:
    """Return the seconds of an option that limits time; click's own ranges let "nan" through."""
    number = float(value)
    if not number >= 0:
        raise ValueError
    return number


STEPS = 1000
"""Ticks of a progress bar."""

BUILD_LOG = "ebmhw.simulated"
"""Name of the logger of `ebmhw.backends.simulated.build`, which is not imported for it."""

backend_option: Decorator = click.option(
    "--backend", default=None, metavar="NAME", help="auto, cpu, golden, simulated or kv260.  [default: $EBMHW_BACKEND, else auto]"
)
threads_option: Decorator = click.option(
    "--threads", type=click.IntRange(1, 1024), help="Worker threads of cpu and simulated.  [default: all processors]"
)
seed_option: Decorator = click.option("--seed", type=click.IntRange(0, 2**64 - 1), help="Seed of the random streams.  [default: drawn, and reported]")
coupling_bits_option: Decorator = click.option(
    "--coupling-bits", type=click.IntRange(2, 18), default=8, show_default=True, help="Width of the integer weights; more keep small ones."
)
split_option: Decorator = click.option(
    "--split-above", type=click.IntRange(3, 8), metavar="K", help="Chain clauses of more than K literals through ancillas (formulas only)."
)


def open_problem(path: str, split_above: int | None) -> Problem:
    """Return the problem of a file."""
    from ebmhw.problems import read

    return read(path, split_above=split_above)


def backend_of(name: str | None, threads: int | None) -> Any:
    """Return the backend named by the options."""
    from ebmhw.backends import get_backend

    tell_builds()
    return get_backend(name, **({} if threads is None else {"threads": threads}))


def tell_builds() -> None:
    """Let a line on standard error say that the simulated design is compiled, once it is: it takes up to a minute or two of silence."""
    # 2 ms, which commands without a backend need not wait for.
    import logging

    class Line(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # On a terminal in the place of what was under way there.
            click.echo(("\r\x1b[K" if sys.stderr.isatty() else "") + record.getMessage(), err=True)

    log = logging.getLogger(BUILD_LOG)
    log.setLevel(logging.INFO)
    # In the place of that of an earlier command of this process.
    log.handlers[:] = [Line()]


@contextmanager
def progress_bar(label: str, shown: bool) -> Iterator[Callable[[float, Progress], None]]:
    """Yield a function that takes (share of all work, progress); the bar is on standard error, and only where that is a terminal."""
    with click.progressbar(length=STEPS, label=label, file=sys.stderr, hidden=not shown or not sys.stderr.isatty()) as bar:

        def show(share: float, progress: Progress) -> None:
            bar.label = f"{label} best {progress.best_energy}"
            bar.update(max(0, int(share * STEPS) - bar.pos))

        yield show
