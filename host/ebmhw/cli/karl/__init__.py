"""`ebmhw karl`: sessions of agents, from their logs to a trained and evaluated adapter."""

from __future__ import annotations

from importlib import import_module
from typing import final

import click

_COMMANDS = {
    "ingest": "read logs of agents, and what the taps left, into the store",
    "score": "reward, advantages, ablation, and how far the signals tell good sessions from bad",
    "select": "choose a training set, by the sampler or one of five other methods",
    "export": "write a training set: messages, oversampled, DPO, KTO, prompts",
    "train": "train a LoRA adapter on an exported set, from a YAML file",
    "eval": "measure an adapter on held-out sessions, and against another",
    "report": "write one page of HTML about the store and a chosen set",
}


@final
class _Commands(click.Group):
    """Subcommands, each in the module of its name and loaded when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"ebmhw.cli.karl.{cmd_name}")
        command: click.Command = getattr(module, "evaluate" if cmd_name == "eval" else cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands)
def karl() -> None:
    """Learn from whole sessions of agents: read their logs, score, select, export, train, evaluate.

    The store is trajectories.sqlite in $EBMHW_KARL_HOME (else ebmhw/karl in the user's data folder). Agents are tapped by
    python -m ebmhw.karl.tap; --settings prints what to put into an agent's settings.
    """
