"""`ebmhw karl score`: rewards and advantages, and what they are worth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ebmhw.cli import terminal
from ebmhw.cli.karl import source
from ebmhw.cli.karl.geometry import geometry_of, geometry_option

if TYPE_CHECKING:
    from ebmhw.karl.baselines import Decision
    from ebmhw.karl.trajectory import Trajectory

SHOWN_SUSPECTS = 10


@click.command()
@source.store_option
@source.traces_option
@source.format_option
@source.rules_option
@source.half_life_option
@source.per_user_option
@click.option("--paper-compat", is_flag=True, help="Score as the paper's code does where it differs from its text; the store keeps none of it.")
@geometry_option
@click.option("--skills", is_flag=True, help="Print how much each skill is to be trusted, by the rewards of its sessions.")
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
    geometry: bool,
    skills: bool,
    each: bool,
    as_json: bool,
) -> None:
    """Score all sessions anew: reward, signals, advantages, and with --rules labels; the store keeps them.

    Prints the distribution by domain, the ablation of the signals, and where outcomes were verified the AUC of each signal against them, beside
    that of "fewer tool calls"; of a store also whether there is a reason to train anew, by its sessions since `ebmhw karl train` marked some.
    """
    from ebmhw.karl.baselines import ablation, separation, skill_weights
    from ebmhw.karl.reward import suspicions

    sessions = source.sessions_of(store, traces, format_name, rules, anew=True, paper_compat=paper_compat)
    found = sessions.advantages(half_life, per_user)
    if not traces and not paper_compat:
        _keep(store, rules, sessions, found)
    dropped = ablation(sessions.rewards, [one.outcome.verified for one in sessions.trajectories])
    shape = geometry_of(sessions) if geometry else None
    told = separation(sessions.trajectories, sessions.rewards, others=None if shape is None else shape.scores)
    decision = renewal_of(sessions)
    weights = skill_weights(sessions.trajectories, sessions.rewards).weights
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
                "renewal": None if decision is None else decision.to_dict(),
                "skills": dict(weights),
                "geometry": None if shape is None else shape.to_dict([one.id for one in sessions.trajectories]),
            }
        )
        return
    click.echo(_domains(sessions, found))
    click.echo(f"\nablation\n{dropped}")
    click.echo(f"\nagainst verified outcomes\n{told}")
    if shape is not None:
        click.echo(f"\ngeometry and reward\n{shape}")
    if skills:
        click.echo(f"\n{_skills(sessions, weights)}")
    if suspects:
        click.echo()
    for name, said in list(suspects.items())[:SHOWN_SUSPECTS]:
        click.echo(f"suspicious: {source.word(name)}: {source.word('; '.join(said), 200)}")
    if len(suspects) > SHOWN_SUSPECTS:
        click.echo(f"suspicious: {len(suspects) - SHOWN_SUSPECTS} more; --json and `ebmhw karl report` name them")
    if decision is not None:
        click.echo(f"\n{source.word(str(decision), 1000)}")
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


def renewal_of(sessions: source.Sessions) -> Decision | None:
    """Return whether there is a reason to train anew, by the sessions that the store knows to be trained on; None of logs."""
    from ebmhw.karl.baselines import Trained, plasticity

    if sessions.trained is None:
        return None
    trained = None
    if sessions.trained:
        at = max(sessions.trained.values())
        of = [one for one in sessions.trajectories if one.id in sessions.trained]
        # There then: what was trained on, and what had begun; of sessions without a time only the former are known to be.
        known = sum(one.id in sessions.trained or _began(one, at) for one in sessions.trajectories)
        trained = Trained(at, frozenset(one.domain_or_global for one in of), known)
    return plasticity(sessions.trajectories, sessions.rewards, trained=trained)


def _began(trajectory: Trajectory, at: float) -> bool:
    return trajectory.started_at is not None and trajectory.started_at <= at


def _skills(sessions: source.Sessions, weights: Mapping[str, float]) -> str:
    if not weights:
        return "no session has a skill; `--rules FILE` gives some"
    totals: dict[str, list[float]] = {}
    for one, reward in zip(sessions.trajectories, sessions.rewards, strict=True):
        if one.skill is not None:
            totals.setdefault(one.skill, []).append(reward.total)
    rows = [
        (source.word(name), str(len(totals[name])), f"{sum(totals[name]) / len(totals[name]):.3f}", f"{weight:.3f}")
        for name, weight in sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    ]
    return terminal.table(rows, ("skill", "sessions", "mean reward", "weight"))


def _keep(store: Path | None, rules: Path | None, sessions: source.Sessions, advantages: Any) -> None:
    from ebmhw.karl import Store
    from ebmhw.karl.rules import Rules

    with Store(source.store_path(store)) as opened:
        if rules is not None:
            opened.relabel(Rules.read(rules))
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
