"""`ebmhw serve`: an MCP server over standard input and output."""

from __future__ import annotations

import logging
import os
import select
import sys
from contextlib import suppress
from typing import final

import click

from ebmhw.cli import options, texts
from ebmhw.serve.limits import ServeLimits

_DEFAULTS = ServeLimits()


@click.command()
@texts.llm_option
@options.backend_option
@texts.knowledge_option
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True, help="Seed of searches and of the model.")
@click.option("--max-characters", type=click.IntRange(1, 2**20), default=_DEFAULTS.characters, show_default=True, help="Of each text of a call.")
@click.option("--time-limit", type=options.seconds, default=_DEFAULTS.seconds, show_default=True, metavar="SECONDS", help="Of each call.")
@click.option("--workers", type=click.IntRange(1, 64), default=_DEFAULTS.workers, show_default=True, help="Calls that are worked on at once.")
@click.option("--max-waiting", type=click.IntRange(0, 10_000), default=_DEFAULTS.waiting, show_default=True, help="Calls that may wait for a worker.")
@click.option("--max-candidates", type=click.IntRange(1, 10_000), default=_DEFAULTS.candidates, show_default=True, help="Answers of one call.")
@click.option("--max-tests", type=click.IntRange(1, 10_000), default=_DEFAULTS.tests, show_default=True, help="Test cases of one call.")
@click.option("--verbose", is_flag=True, help="Tell on standard error of messages that are refused.")
def serve(
    llm: str | None,
    backend: str | None,
    knowledge: str | None,
    seed: int,
    max_characters: int,
    time_limit: float,
    workers: int,
    max_waiting: int,
    max_candidates: int,
    max_tests: int,
    verbose: bool,
) -> None:
    """Serve the checks as tools of the Model Context Protocol, over standard input and output, until the client closes them.

    A client starts this command itself; its configuration names "ebmhw" with the argument "serve". What goes wrong is told on standard error.

    Exit status: 0 where the client closed standard input, or after SIGTERM; 2 for wrong use; 130 after Ctrl-C.
    """
    from ebmhw.serve import Desk
    from ebmhw.serve import serve as run

    limits = ServeLimits(
        characters=max_characters, seconds=time_limit, workers=workers, waiting=max_waiting, candidates=max_candidates, tests=max_tests
    )
    if knowledge is not None:
        texts.read_text(knowledge)
    if sys.stdin is not None and sys.stdin.isatty():
        click.echo("ebmhw serve: waiting for lines of JSON-RPC; an MCP client starts this command itself (Ctrl-C ends it)", err=True)
    logging.basicConfig(
        handlers=[_Patient()], level=logging.INFO if verbose else logging.WARNING, format="ebmhw serve: %(levelname)s %(name)s: %(message)s"
    )
    sys.exit(run(Desk(llm, backend, knowledge, seed, limits.claims), limits))


@final
class _Patient(logging.Handler):
    """Writes to standard error what fits into it: a client that leaves its pipe unread must not stop the server."""

    def emit(self, record: logging.LogRecord) -> None:
        line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
        with suppress(OSError, ValueError):
            for start in range(0, len(line), select.PIPE_BUF):
                if not select.select([], [2], [], 0)[1]:
                    return
                os.write(2, line[start : start + select.PIPE_BUF])
