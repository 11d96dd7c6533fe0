"""`ebmhw karl score`: rewards and advantages, and what they are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ebmhw.cli import terminal
from ebmhw.cli.karl import source

SHOWN_SUSPECTS = 10


@click.command()
@source.store_option
@source.traces_option
@source.format_option
@source.rules_option
@source.half_life_option
@source.per_user_option
@click.option("--paper-compat", is_flag=True, help="Score as the paper's code does where it differs from its text; the store keeps none of it.")
@click.option("--each", is_flag=True, help="Print every session, the best advantage first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def score(
    store: Path | None,
    traces: tuple[Path, ...],
    format_name: str,
    rules: Path | None,
    half_life: float | None,
    per_user: bool,
    paper_compat: bool,
    each: bool,
    as_json: bool,
) -> None:
    """Score all sessions anew: reward, signals, advantages, and with --rules labels; the store keeps them.

    Prints the distribution by domain, the ablation of the signals, and where outcomes were verified the AUC of each signal against them, beside
    that of "fewer tool calls".
    """
    from ebmhw.karl.baselines import ablation, separation
    from ebmhw.karl.reward import suspicions

    sessions = source.sessions_of(store, traces, format_name, rules, anew=True, paper_compat=paper_compat)
    found = sessions.advantages(half_life, per_user)
    if not traces and not paper_compat:
        _keep(store, rules, sessions, found)
    dropped = ablation(sessions.rewards, [one.outcome.verified for one in sessions.trajectories])
    told = separation(sessions.trajectories, sessions.rewards)
    suspects = {one.id: said for one in sessions.trajectories if (said := suspicions(one))}
    if as_json:
        terminal.echo_json(
            {
                "sessions": [
                    {
                        "id": one.id,
                        "domain": one.domain_or_global,
                        "held_out": one.id in sessions.held_out,
                        "reward": reward._asdict(),
                        "advantage": float(advantage),
                    }
                    for one, reward, advantage in zip(sessions.trajectories, sessions.rewards, found, strict=True)
                ],
                "ablation": dropped.to_dict(),
                "separation": told.to_dict(),
                "suspicions": {name: list(said) for name, said in suspects.items()},
            }
        )
        return
    click.echo(_domains(sessions, found))
    click.echo(f"\nablation\n{dropped}")
    click.echo(f"\nagainst verified outcomes\n{told}")
    for name, said in list(suspects.items())[:SHOWN_SUSPECTS]:
        click.echo(f"suspicious: {source.word(name)}: {source.word('; '.join(said), 200)}")
    if len(suspects) > SHOWN_SUSPECTS:
        click.echo(f"suspicious: {len(suspects) - SHOWN_SUSPECTS} more; --json and `ebmhw karl report` name them")
    if each:
        order = sorted(range(len(found)), key=lambda i: -found[i])
        rows = [
            (
                source.word(sessions.trajectories[i].id),
                source.word(sessions.trajectories[i].domain_or_global),
                *_numbers(sessions.rewards[i], found[i]),
            )
            for i in order
        ]
        click.echo("\n" + terminal.table(rows, ("session", "domain", "advantage", "reward", *sessions.rewards[0]._fields[1:])))


def _keep(store: Path | None, rules: Path | None, sessions: source.Sessions, advantages: Any) -> None:
    from ebmhw.karl import Store
    from ebmhw.karl.rules import Rules

    with Store(source.store_path(store)) as opened:
        if rules is not None:
            opened.relabel(source.labels_by(Rules.read(rules)))
        # What another process removed meanwhile has no record.
        there = set(opened.ids())
        scores = zip(sessions.trajectories, sessions.rewards, map(float, advantages), strict=True)
        opened.put_scores((one.id, reward, advantage) for one, reward, advantage in scores if one.id in there)


def _domains(sessions: source.Sessions, advantages: Any) -> str:
    groups: dict[str, list[int]] = {}
    for i, one in enumerate(sessions.trajectories):
        groups.setdefault(one.domain_or_global, []).append(i)
    rows = []
    every = [("all", list(range(len(sessions.trajectories))))] if len(groups) > 1 else []
    for name, members in [*sorted(groups.items()), *every]:
        totals = sorted(sessions.rewards[i].total for i in members)
        mean = sum(totals) / len(totals)
        spread = (sum((total - mean) ** 2 for total in totals) / len(totals)) ** 0.5
        above = sum(advantages[i] > 0 for i in members)
        rows.append((source.word(name), str(len(members)), f"{mean:.3f}", f"{spread:.3f}", f"{totals[0]:.3f}", f"{totals[-1]:.3f}", str(above)))
    return terminal.table(rows, ("domain", "sessions", "mean reward", "sd", "least", "most", "advantage > 0"))


def _numbers(reward: Any, advantage: float) -> tuple[str, ...]:
    return (f"{advantage:+.3f}", *(f"{value:.3f}" for value in reward))
