"""Page: a store of sessions, what its signals are worth, and the chosen set, as one file of HTML."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ebmhw.files import write_whole
from ebmhw.karl.baselines import Ablation, Separation
from ebmhw.karl.baselines.areas import GOOD
from ebmhw.karl.baselines.separating import FEWER
from ebmhw.karl.page.charts import Point, bar, drawn, histogram, interval, sessions_map
from ebmhw.karl.page.style import STYLE
from ebmhw.karl.reward import Reward, suspicions
from ebmhw.karl.trajectory import Trajectory
from ebmhw.pages.frame import BASE, FOOT, cards, head, scrolled, table
from ebmhw.pages.words import counted, number, shown

CHOSEN_LIMIT = 500
"""Sessions of the chosen set that the page lists."""

DOMAIN_LIMIT = 60
SUSPECT_LIMIT = 100


class Report(NamedTuple):
    """What a page is about.

    Attributes
    ----------
    title, about : its heading, and lines on where the sessions are from
    trajectories, rewards, advantages : one for each session
    ablation, separation : as of `ebmhw.karl.baselines`
    held_out : ids of sessions that no training set may hold
    chosen : ids of the chosen set, None where nothing was chosen
    selections : {method: numbers by name} of the ways to choose that were compared
    problems : what could not be read, as counted by the reader
    """

    title: str
    about: Sequence[str]
    trajectories: Sequence[Trajectory]
    rewards: Sequence[Reward]
    advantages: Sequence[float]
    ablation: Ablation
    separation: Separation
    held_out: frozenset[str] = frozenset()
    chosen: Sequence[str] | None = None
    selections: Mapping[str, Mapping[str, Any]] = {}
    problems: int = 0


def write_report(path: str | os.PathLike[str], report: Report) -> None:
    """Write the page, whole or not at all; it needs no script and loads nothing."""
    body = [
        _counts(report),
        _domains(report),
        _separation(report),
        _ablation(report),
        _map(report),
        *([_chosen(report)] if report.chosen is not None else []),
        _suspects(report),
    ]
    html = [head(report.title, report.title, report.about, BASE + STYLE), "<main>\n", *body, FOOT]
    write_whole(path, lambda stream: stream.writelines(part.encode("utf-8") for part in html))


def _counts(report: Report) -> str:
    verified = [one.outcome.verified for one in report.trajectories if one.outcome.verified is not None]
    good = sum(value >= GOOD for value in verified)
    totals = [reward.total for reward in report.rewards]
    found = [
        ("sessions", f"{len(report.trajectories):,}"),
        ("calls of tools", f"{sum(one.total_tools for one in report.trajectories):,}"),
        ("mean reward", number(sum(totals) / len(totals) if totals else None, 3)),
        ("verified outcomes", f"{len(verified):,}"),
        ("of these good", f"{good:,}" if verified else "unknown"),
        ("held out", f"{len(report.held_out):,}"),
    ]
    if report.chosen is not None:
        found.append(("chosen", f"{len(report.chosen):,}"))
    problems = f"{counted(report.problems, 'problem')} in the logs: lines or files that could not be read, and were skipped."
    notice = f'<p class="notice">{problems}</p>' if report.problems else ""
    return cards(found) + notice


def _domains(report: Report) -> str:
    groups: dict[str, list[int]] = {}
    for i, one in enumerate(report.trajectories):
        groups.setdefault(one.domain_or_global, []).append(i)
    chosen = set(report.chosen or ())
    rows = []
    for name, members in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))[:DOMAIN_LIMIT]:
        totals = [report.rewards[i].total for i in members]
        mean = sum(totals) / len(totals)
        spread = (sum((total - mean) ** 2 for total in totals) / len(totals)) ** 0.5
        above = sum(report.advantages[i] > 0 for i in members)
        taken = sum(report.trajectories[i].id in chosen for i in members)
        rows.append((shown(name, 80), str(len(members)), histogram(totals), f"{mean:.3f}", f"{spread:.3f}", str(above), str(taken)))
    head = ("domain", "sessions", "reward, 0 to 1", "mean", "sd", "advantage &gt; 0", "chosen")
    note = "The mean is the upright line in each distribution."
    if len(groups) > DOMAIN_LIMIT:
        note += f" {counted(len(groups) - DOMAIN_LIMIT, 'smaller domain')} not shown."
    return "<h2>Rewards by domain</h2>" + table("rewards by domain", head, rows, "hnpnnnn") + f'<p class="note">{note}</p>'


def _separation(report: Report) -> str:
    text = (
        "<h2>Do the signals tell good sessions from bad?</h2><p>AUC against verified outcomes: the probability that a good session scores "
        "higher than a bad one. One half, the mark in the middle, is chance; the line is the 95 % interval. “Fewer tool calls” is what any reward "
        "has to beat.</p>"
    )
    rows = []
    for row in report.separation.rows:
        if row.auc is None:
            continue
        over = row.over_calls
        known = over is not None and over.low is not None and over.high is not None
        rows.append(
            (
                shown(row.score, 80),
                f"{row.auc.value:.3f}",
                interval(row.auc.value, row.auc.low, row.auc.high, "plain" if row.score == FEWER else ""),
                f"{row.auc.low:.2f} to {row.auc.high:.2f}",
                "" if over is None else f"{over.value:+.3f}",
                f"{over.low:+.2f} to {over.high:+.2f}" if known and over is not None else "",
            )
        )
    if not rows:
        return text + '<p class="notice">No two kinds of outcome were verified here, so nothing can be said.</p>'
    goods = f"{report.separation.good:,} good, {report.separation.bad:,} bad; the others of {report.separation.sessions:,} are not verified"
    head = ("score", "AUC", "0 to 1", "95 %", "over fewer calls", "95 %")
    return text + table("AUC against verified outcomes", head, rows, "hnpnnn") + f'<p class="note">{goods}</p>'


def _ablation(report: Report) -> str:
    most = max((row.impact for row in report.ablation.rows if row.impact is not None), default=0.0)
    rows = [
        (
            shown(row.signal),
            number(row.impact, 3),
            "" if row.impact is None else bar(row.impact, most),
            number(row.rank_correlation, 3),
            f"{row.common} of {report.ablation.top}",
            number(row.deviation, 3),
            number(row.auc and row.auc.value, 3),
        )
        for row in report.ablation.by_impact()
    ]
    text = (
        "<h2>What each signal does to the ranking</h2><p>Each signal left out in turn, the others weighing more for it. "
        "Impact is one less the rank correlation with the whole reward, plus the share of the top that changes. "
        "It says how much the ranking depends on a signal, not whether the signal is right: that is what the AUC without it shows.</p>"
    )
    whole = number(report.ablation.auc and report.ablation.auc.value, 3)
    head = ("left out", "impact", "of the largest", "rank correlation", "best in common", "its sd", f"AUC without it (with all: {whole})")
    return text + table("ablation", head, rows, "hnpnnnn")


def _map(report: Report) -> str:
    chosen = set(report.chosen or ())
    points = [
        Point(
            one.total_tools,
            reward.total,
            None if one.outcome.verified is None else one.outcome.verified >= GOOD,
            one.id in chosen,
            shown(one.id, 60),
        )
        for one, reward in zip(report.trajectories, report.rewards, strict=True)
    ]
    shown_points = drawn(points)
    some = f" {len(shown_points):,} of the {len(points):,} sessions are drawn, the chosen ones first." if len(shown_points) < len(points) else ""
    legend = (
        '<p class="note">● verified good, ✕ verified bad, ○ not verified; a large ring: chosen. Across: calls of tools, on a logarithmic scale; '
        f"upwards: reward. Sessions of the same place stand side by side.{some}</p>"
    )
    return f"<h2>All sessions</h2>{legend}" + scrolled("sessions by calls and reward", sessions_map(shown_points))


def _chosen(report: Report) -> str:
    by_id = {one.id: i for i, one in enumerate(report.trajectories)}
    known = [by_id[name] for name in report.chosen or () if name in by_id]
    rows = []
    for i in sorted(known, key=lambda i: -report.advantages[i])[:CHOSEN_LIMIT]:
        one = report.trajectories[i]
        outcome = "unknown" if one.outcome.verified is None else f"{one.outcome.verified:g}"
        calls = " ".join(shown(event.tool, 30) for event in one.events[:12]) + (" …" if len(one.events) > 12 else "")
        rows.append(
            (
                shown(one.prompt or "(no prompt)", 160),
                shown(one.domain_or_global, 40),
                str(one.total_tools),
                f'<span class="soft">{calls}</span>',
                f"{report.rewards[i].total:.3f}",
                f"{report.advantages[i]:+.2f}",
                outcome,
            )
        )
    more = len(known) - CHOSEN_LIMIT
    note = f'<p class="note">{counted(more, "more session")} not shown.</p>' if more > 0 else ""
    compared = ""
    if report.selections:
        names = list(dict.fromkeys(name for numbers in report.selections.values() for name in numbers))
        lines = [(shown(method), *(_value(numbers.get(name)) for name in names)) for method, numbers in report.selections.items()]
        compared = table("ways to choose", ("method", *(shown(name.replace("_", " ")) for name in names)), lines, "h" + "n" * len(names))
    head = ("asked", "domain", "calls", "tools", "reward", "advantage", "verified")
    return f"<h2>The chosen set</h2>{compared}" + table("the chosen sessions", head, rows, "wsnwnnn") + note


def _value(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "yes" if value else ""
    return number(value, 3) if isinstance(value, float) else shown(str(value), 40)


def _suspects(report: Report) -> str:
    found = [(one, said) for one in report.trajectories if (said := suspicions(one))]
    if not found:
        return ""
    rows = [(shown(one.id, 60), shown("; ".join(said), 400)) for one, said in found[:SUSPECT_LIMIT]]
    more = f'<p class="note">{counted(len(found) - SUSPECT_LIMIT, "more session")} not shown.</p>' if len(found) > SUSPECT_LIMIT else ""
    text = "<h2>Look twice</h2><p>What looks like work for the reward rather than for the user; it earned nothing.</p>"
    return text + table("sessions to look at twice", ("session", "why"), rows, "hw") + more
