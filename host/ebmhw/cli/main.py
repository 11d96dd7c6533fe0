"""The command `ebmhw` and what all its subcommands share."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from typing import Any, final

import click

from ebmhw import __version__
from ebmhw.errors import EbmhwError

_COMMANDS = {
    "backends": "which backends work here, and why others do not",
    "bench": "measure speed and quality against other libraries",
    "board": "look at a KV260, load its firmware, test and measure it",
    "check": "replay a certificate without model and backend",
    "observe": "show the training run of a log, follow it, compare two, serve metrics",
    "karl": "learn from sessions of agents: read their logs, score, select, export, train, evaluate",
    "gate": "judge an adapter by its answers to examples that no training saw, and by phi",
    "phi": "measure how certain a model is, in a file of logits or token by token as it answers",
    "pipeline": "verify a file of questions and answers, in parallel and resumable",
    "sample": "draw samples of a problem at one temperature",
    "score": "rank answers of several agents to one question",
    "serve": "serve the checks to other programs over the Model Context Protocol",
    "solve": "search for the best solution of a problem",
    "train": "train a LoRA adapter with rewards of coherence, from a YAML file",
    "verify": "check an answer claim by claim, repair it, certify it",
    "verify-code": "check Python by its tests, properties and source, in a sandbox",
}


@final
class _Commands(click.Group):
    """Subcommands, each in the module of its name and loaded when it is called; errors of the package end with status 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"ebmhw.cli.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EbmhwError as error:
            click.echo(f"ebmhw: {error} [{error.code}]", err=True)
            sys.exit(2)
        except KeyboardInterrupt:
            # click would end with 1, which here says VIOLATED.
            click.echo("stopped", err=True)
            sys.exit(130)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except OSError as error:
            click.echo(f"ebmhw: output failed: {error}; free space or name another place", err=True)
            sys.exit(2)
        except Exception as error:
            # A fault of ours must not pass for a verdict either; its traceback is what a report of it needs.
            traceback.print_exc()
            click.echo(f"ebmhw: {type(error).__name__}, a fault of ebmhw itself; please report it with the lines above", err=True)
            sys.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ebmhw")
def main() -> None:
    """Check and repair what language models wrote, sample Ising problems, measure logits; every backend returns the same bits."""
