"""`ebmhw karl report`: the store, its signals and a chosen set to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ebmhw.cli import terminal
from ebmhw.cli.karl import source
from ebmhw.cli.karl.geometry import geometry_of, geometry_option


@click.command()
@click.argument("output", type=click.Path(dir_okay=False), metavar="FILE.html")
@click.option("--chosen", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE", help="The set that `select --output` wrote.")
@click.option("--title", default="Sessions of agents", show_default=True, help="Heading of the page.")
@source.store_option
@source.traces_option
@source.format_option
@source.rules_option
@source.half_life_option
@source.per_user_option
@geometry_option
def report(
    output: str,
    chosen: Path | None,
    title: str,
    store: Path | None,
    traces: tuple[Path, ...],
    format_name: str,
    rules: Path | None,
    half_life: float | None,
    per_user: bool,
    geometry: bool,
) -> None:
    """Write one page of HTML: rewards by domain, AUC against verified outcomes, ablation, all sessions, the chosen set."""
    from ebmhw.karl.baselines import ablation, separation
    from ebmhw.karl.page import Report, write_report

    terminal.check_writable("FILE.html", output)
    source.check_apart("FILE.html", output, None if traces else source.store_path(store), chosen, rules, *traces)
    sessions = source.sessions_of(store, traces, format_name, rules)
    selection: dict[str, Any] = {} if chosen is None else source.chosen_of(chosen, sessions)
    about = [", ".join(map(str, traces)) if traces else f"{source.store_path(store)}", f"{len(sessions.trajectories):,} sessions"]
    write_report(
        output,
        Report(
            title=title,
            about=about,
            trajectories=sessions.trajectories,
            rewards=sessions.rewards,
            advantages=[float(value) for value in sessions.advantages(half_life, per_user)],
            ablation=ablation(sessions.rewards, [one.outcome.verified for one in sessions.trajectories]),
            separation=separation(sessions.trajectories, sessions.rewards, others=geometry_of(sessions).scores if geometry else None),
            held_out=sessions.held_out,
            chosen=selection.get("ids"),
            selections=_compared(selection),
            problems=sessions.problems,
        ),
    )
    click.echo(output)


NUMBERS = ("sessions", "objective", "coverage", "domains", "effective_size", "redundancy", "seconds", "exact")
"""Of a way to choose, on the page."""


def _compared(selection: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the numbers of the methods that `select --compare --output` wrote, else of the one that chose."""
    rows = selection.get("comparison") or ([selection] if selection else [])
    found = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict):
            numbers = {name: row.get(name) for name in NUMBERS if isinstance(row.get(name), (bool, int, float))}
            found[str(row.get("method", "unknown"))] = numbers
    return found
