"""Masks, gaps, accuracy and intervals, judged by plain loops and by what is known of planted figures; no torch is needed."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import ConfigError
from ebmhw.karl.evaluation import Evaluation, SessionFigures, domain_spread, evaluate, evenness, labels_of, regression
from ebmhw.karl.evaluation.bases import check_base
from ebmhw.karl.evaluation.domains import CrossDomain
from ebmhw.karl.evaluation.evaluation import evaluation_of
from ebmhw.karl.evaluation.figures import by_tasks, figures_of, gap_of, mean_of, share_of, tool_hits
from ebmhw.karl.evaluation.forward import Seen
from ebmhw.karl.evaluation.guessing import guesses
from ebmhw.karl.evaluation.labels import REWARD, VERIFIED, Labels
from ebmhw.karl.evaluation.plans import tool_spans
from ebmhw.karl.evaluation.tables import estimate
from ebmhw.karl.trajectory import Outcome, Trajectory


def session(
    place: int, nll: float, good: bool | None, *, task: str | None = None, domain: str = "web", hits: int = 1, steps: int = 2
) -> SessionFigures:
    return SessionFigures(f"traj_{place}", domain, task or f"t{place}", good, nll, 10, hits, steps)


def evaluation(sessions: Sequence[SessionFigures]) -> Evaluation:
    known: dict[str, Any] = {"model": "tiny", "adapter": None, "asked": len(sessions), "without_plan": 0, "shortened": 0, "seconds": 1.0}
    return evaluation_of(sessions, labels=Labels((), VERIFIED), failure=None, **known)


# --- next tool


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=4), max_size=6), st.randoms())
def test_a_tool_is_hit_where_each_of_its_tokens_was_the_likeliest(steps: list[list[bool]], rng: random.Random) -> None:
    best, group = [], []
    for place, tokens in enumerate(steps):
        for between in range(rng.randint(0, 2)):
            best.append(rng.random() < 0.5)
            group.append(-1)
            assert between < 2
        best += tokens
        group += [place] * len(tokens)
    seen = Seen(np.zeros(len(best)), np.array(best, dtype=bool), np.array(group, dtype=np.int64))
    assert tool_hits(seen) == (sum(all(tokens) for tokens in steps), len(steps))


@pytest.mark.parametrize(
    ("plan", "tools"),
    [
        ("1. [ok] Read a.py\n2. [fail] Bash: make\n3. [?] get_user_details", ["Read", "Bash", "get_user_details"]),
        ("1. Read\n 2. Edit x\nResult: 2/2\nsee 3. Bash", ["Read", "Edit"]),
        ("", []),
        ("10. [ok] mcp__server__tool x: 1. [ok] Read", ["mcp__server__tool"]),
    ],
)
def test_a_plan_names_a_tool_a_step(plan: str, tools: list[str]) -> None:
    assert [plan[first:last] for first, last in tool_spans(plan)] == tools


def test_a_hostile_plan_takes_no_more_than_linear_time() -> None:
    assert len(tool_spans("1. [ok] Read\n" * 50_000)) == 50_000
    assert tool_spans("1" * 10**6 + "\n" + " " * 10**6) == [] and tool_spans("1. [" + "a" * 10**6) == []


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from("xyz"), st.lists(st.sampled_from(("Read", "Edit", "Bash")), max_size=5)), max_size=8))
def test_guesses_are_those_of_plain_counts_of_the_other_tasks(drawn: list[tuple[str, list[str]]]) -> None:
    found = guesses([tools for _, tools in drawn], [task for task, _ in drawn])
    assert len(found) == len(drawn)

    def commonest(names: list[str]) -> str | None:
        return min(sorted(set(names)), key=lambda name: -names.count(name), default=None)

    for (task, tools), guess in zip(drawn, found, strict=True):
        others = [other for name, other in drawn if name != task]
        every = [tool for other in others for tool in other]
        if not every or not any(own for name, own in drawn if name == task):
            assert guess == (None, None, None)
            continue
        hits = [0, 0, 0]
        for place, tool in enumerate(tools):
            before = tools[place - 1] if place else None
            followed = [other[at] for other in others for at in range(len(other)) if (other[at - 1] if at else None) == before]
            hits[0] += tool == commonest(every)
            hits[1] += tool == (before if place else commonest(followed) or commonest(every))
            hits[2] += tool == (commonest(followed) or commonest(every))
        assert guess == tuple(hits)


def test_guesses_take_linear_time_and_stand_beside_the_models_share() -> None:
    many = [[f"tool{place}", f"other{place}"] * 5 for place in range(20_000)]
    assert guesses(many, [f"t{place}" for place in range(20_000)])[0] == (0, 0, 0)
    sessions = [session(place, 1.0, True, hits=1, steps=4)._replace(frequent=2, repeated=3, bigram=4) for place in range(6)]
    found = figures_of(sessions)
    assert [one.value for one in (found.next_tool, found.most_frequent, found.repeat_last, found.bigram)] == [0.25, 0.5, 0.75, 1.0]
    assert evaluation(sessions).table().split("\n\n")[1].splitlines()[2].split()[-3:] == ["0.500", "0.750", "1.000"]
    # Of sessions of which one has no guess the share would be of other steps.
    assert figures_of([*sessions, session(9, 1.0, True)]).bigram is None
    json.dumps(found.to_dict(), allow_nan=False)


def test_an_adapter_of_another_base_is_refused(tmp_path: Path) -> None:
    adapter, base = tmp_path / "adapter", tmp_path / "base"
    adapter.mkdir()
    base.mkdir()

    def named(name: object) -> Path:
        (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": name}))
        return adapter

    for name, model in (("a/b", "a/b"), (None, "x"), ("smollm2", "HuggingFaceTB/SmolLM2-135M-Instruct"), (str(base), f"{tmp_path}/adapter/../base")):
        check_base(named(name), model)
    for name, model in (("a/b", "a/c"), ("smollm2", str(base)), (str(base), "base"), ("HuggingFaceTB/SmolLM2-360M-Instruct", "smollm2")):
        with pytest.raises(ConfigError) as caught:
            check_base(named(name), model)
        assert f"was trained on {name} " in str(caught.value) and f"not on {model};" in str(caught.value) and "other_base=True" in str(caught.value)


def test_nothing_to_read_is_an_error() -> None:
    with pytest.raises(ConfigError, match="there is no session to evaluate on"):
        evaluate("smollm2", None, [])
    with pytest.raises(ConfigError, match="the evaluation of tiny read no session: late"):
        regression(evaluation([session(0, 1.0, True)]), evaluation([])._replace(failure="late"))


# --- labels


def trajectory(place: int, domain: str = "web", verified: float | None = None) -> Trajectory:
    return Trajectory(id=f"traj_{place}", session_id=str(place), domain=domain, outcome=Outcome(verified=verified))


def test_labels_are_verified_outcomes_where_there_are_any() -> None:
    given = [trajectory(0, verified=1.0), trajectory(1, verified=0.0), trajectory(2), trajectory(3, verified=0.5)]
    assert labels_of(given) == Labels((True, False, None, True), VERIFIED)
    assert labels_of([trajectory(0)] * 3, "verified").good == (None, None, None)


def test_labels_are_rewards_against_the_median_of_the_domain_where_nothing_is_verified() -> None:
    given = [trajectory(place, domain) for place, domain in enumerate(["a", "a", "a", "b", "b"])]
    assert labels_of(given, rewards=[0.1, 0.2, 0.9, 0.8, 0.9]) == Labels((False, None, True, False, True), REWARD)
    assert labels_of([trajectory(0, verified=1.0), trajectory(1)], "reward", [0.2, 0.4]) == Labels((False, True), REWARD)


def test_labels_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="there are 1 labels for 2 sessions; give one for each"):
        labels_of([trajectory(0), trajectory(1)], [True])
    with pytest.raises(ConfigError, match="labels are 'good'; give 'auto', 'verified', 'reward'"):
        labels_of([trajectory(0)], "good")
    with pytest.raises(ConfigError, match="there are 2 rewards for 1 sessions"):
        labels_of([trajectory(0)], rewards=[1, 2])


# --- gap and intervals


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 9), st.sampled_from((True, False, None)), st.sampled_from("xyz"), st.integers(0, 3)), max_size=20))
def test_figures_are_those_of_plain_loops(drawn: list[tuple[float, bool | None, str, int]]) -> None:
    sessions = [session(place, nll, good, task=task, hits=min(hits, 2), steps=hits) for place, (nll, good, task, hits) in enumerate(drawn)]
    found = figures_of(sessions)
    good, bad = ([one.nll for one in sessions if one.good is label] for label in (True, False))
    assert (found.sessions, found.good, found.bad, found.tasks) == (len(drawn), len(good), len(bad), len({one[2] for one in drawn}))
    if good and bad:
        assert found.gap is not None and found.gap.value == pytest.approx(sum(bad) / len(bad) - sum(good) / len(good))
        assert found.nll_good == pytest.approx(sum(good) / len(good)) and found.nll_bad == pytest.approx(sum(bad) / len(bad))
    else:
        assert found.gap is None and (found.nll_good is None) == (not good)
    within = []
    for task in "xyz":
        well, ill = ([one.nll for one in sessions if one.task == task and one.good is label] for label in (True, False))
        within += [sum(ill) / len(ill) - sum(well) / len(well)] if well and ill else []
    assert (found.gap_within is None) == (not within)
    if found.gap_within is not None:
        assert found.gap_within.value == pytest.approx(sum(within) / len(within)) and found.gap_within.size == len(within)
    steps = sum(one.steps for one in sessions)
    assert (found.next_tool is None) == (steps == 0)
    if found.next_tool is not None:
        assert found.next_tool.value == pytest.approx(sum(one.hits for one in sessions) / steps) and found.next_tool.size == steps
    for one in (found.nll, found.gap, found.next_tool):
        if one is not None and one.interval is not None:
            assert one.interval.low <= one.interval.high
    json.dumps(found.to_dict(), allow_nan=False)


def drawn_sessions(rng: np.random.Generator, effect: float, tasks: int = 30, each: int = 4) -> list[SessionFigures]:
    """Sessions whose NLL has a level of their task, and is lower by ``effect`` where they are good."""
    made = []
    for task in range(tasks):
        level = rng.normal(2, 0.5)
        for _ in range(each):
            good = bool(rng.random() < 0.5)
            made.append(session(len(made), level - effect * good + rng.normal(0, 0.3), good, task=f"t{task}"))
    return made


def test_a_planted_gap_is_found_and_none_where_there_is_none() -> None:
    rng = np.random.default_rng(1)
    planted = [figures_of(drawn_sessions(rng, 0.6)).gap for _ in range(40)]
    assert all(one is not None and one.interval is not None for one in planted)
    assert sum(one.interval.low > 0 for one in planted) >= 36 and np.mean([one.value for one in planted]) == pytest.approx(0.6, abs=0.1)
    none = [figures_of(drawn_sessions(rng, 0.0)).gap for _ in range(100)]
    # 95 of 100 but for chance and the draws of few tasks; 80 is seven standard deviations of a right interval away.
    assert sum(one.interval.low <= 0 <= one.interval.high for one in none) > 80


def test_a_gap_between_tasks_is_none_within_them() -> None:
    rng = np.random.default_rng(4)
    # Hard tasks have more bad sessions, and higher NLL; within a task good and bad are alike.
    made = []
    for task in range(40):
        hard = task % 2
        made += [session(len(made), 1 + hard + rng.normal(0, 0.1), bool(rng.random() < (0.25 if hard else 0.75)), task=f"t{task}") for _ in range(6)]
    found = figures_of(made)
    assert found.gap.interval.low > 0.2 and found.gap_within.interval.low <= 0 <= found.gap_within.interval.high
    assert found.gap_within.size > 25


def test_single_sessions_drawn_anew_would_give_too_narrow_an_interval() -> None:
    rng = np.random.default_rng(2)
    inside = {"tasks": 0, "sessions": 0}
    for _ in range(100):
        made = drawn_sessions(rng, 0.0, tasks=20, each=8)
        values = [one.nll for one in made]
        for name, tasks in (("tasks", [one.task for one in made]), ("sessions", [one.id for one in made])):
            interval = mean_of(values, tasks).interval
            inside[name] += interval.low <= 2 <= interval.high
    assert inside["tasks"] > 84 and inside["sessions"] < 66


def test_what_there_is_too_little_of_has_no_interval() -> None:
    assert gap_of([1.0, 2.0], [True, False], ["t", "t"]).interval is None
    assert gap_of([1.0, 2.0], [True, True], ["t", "u"]) is None and share_of([0], [0], ["t"]) is None
    assert mean_of([], []) is None and by_tasks(np.zeros((0, 2)), [], lambda sums: sums[:, 0]) is None
    # Of tasks with one kind each, a draw of one kind alone has no gap: those are left out.
    tasks = [f"t{place}" for place in range(5)]
    assert gap_of([1.0, 2.0, 2.0, 2.0, 2.0], [True, *[False] * 4], tasks).interval == (1.0, 1.0)
    found = gap_of([1.0, 2.0, 2.0, 2.0, 9.0], [True, False, False, False, None], tasks)
    assert (found.value, found.interval, found.size, found.tasks) == (1.0, None, 4, 4)
    # Sessions without a step carry no share of steps.
    assert share_of([1, 1, 1, 1, 0], [2, 2, 2, 2, 0], tasks).interval is None and share_of([1] * 5, [2] * 5, tasks).interval is not None
    assert estimate(found) == "1.000 (n=4)" and estimate(share_of([1] * 5, [2] * 5, tasks)) == "0.500 (0.500 to 0.500, n=5)"


# --- regression and domains


def test_a_regression_is_what_is_worse_by_more_than_the_tolerance() -> None:
    rng = np.random.default_rng(3)
    sessions = [session(place, rng.normal(2, 1), place % 2 == 0, domain="ab"[place % 3 == 0], hits=2, steps=4) for place in range(40)]
    worse = [one._replace(nll=one.nll + 0.05, hits=1) for one in sessions]
    found = regression(evaluation(sessions), evaluation(worse))
    assert found.all["nll"].difference.value == pytest.approx(0.05) and found.all["nll"].regressed and found.all["nll"].certain
    # Paired: the differences are all alike, whatever the sessions are.
    assert found.all["nll"].difference.interval == pytest.approx((0.05, 0.05))
    assert found.all["next_tool"].difference.value == pytest.approx(-0.25) and not found.all["gap"].regressed
    assert set(found.regressed) == {"nll", "next_tool", "a/nll", "a/next_tool", "b/nll", "b/next_tool"}
    assert regression(evaluation(worse), evaluation(sessions)).regressed == ()
    slightly = [one._replace(nll=one.nll + 0.01) for one in sessions]
    assert regression(evaluation(sessions), evaluation(slightly)).regressed == ()
    json.dumps(found.to_dict(), allow_nan=False)
    assert "worse" in found.table() and len(found.table().splitlines()) == 1 + 3 * 3


def test_a_gap_that_closes_is_a_regression() -> None:
    sessions = [session(place, 1.0 + (place % 2), place % 2 == 0) for place in range(20)]
    closed = [one._replace(nll=1.0) for one in sessions]
    change = regression(evaluation(sessions), evaluation(closed)).all["gap"]
    assert (change.before, change.after, change.regressed, change.certain) == (1.0, 0.0, True, True)


def test_only_sessions_in_common_are_compared_and_missing_domains_are_named() -> None:
    before = evaluation([session(0, 1.0, True), session(1, 5.0, False, domain="gone")])
    after = evaluation([session(0, 1.0, True), session(2, 9.0, False)])
    found = regression(before, after, expected=("web", "wanted"))
    assert (found.sessions, found.missing) == (1, ("gone", "wanted")) and found.all["nll"].difference.value == 0
    with pytest.raises(ConfigError, match="no session in common"):
        regression(before, evaluation([session(7, 1.0, True)]))


def test_the_spread_over_domains() -> None:
    even = [session(place, 1.0, True, domain="ab"[place % 2], hits=1 + place % 3 // 2, steps=2) for place in range(24)]
    found = domain_spread(evaluation(even), expected=("a", "b", "c"))
    assert found.missing == ("c",) and found.good and found.spread == pytest.approx(0.0)
    uneven = [*even, *(session(99 + place, 1.0, True, domain="bad", hits=0, steps=2) for place in range(2))]
    found = domain_spread(evaluation(uneven))
    assert not found.good and found.weak == ("bad",) and found.means["bad"] == 0 and found.counts["bad"] == 2
    # A domain alone is not even: there is nothing to be even with.
    alone = domain_spread(evaluation([session(0, 1.0, True), session(1, 1.0, True)]))
    assert (alone.spread, alone.good, alone.means) == (None, None, {"web": 0.5})
    assert evenness(alone) == "next tools by domain: all sessions are of one domain (web), so that there is no spread"
    assert evenness(found) == f"next tools by domain: spread {found.spread:.3f}, uneven; weak: bad"
    # A session without a step has no share.
    assert domain_spread(evaluation([session(0, 1.0, True, hits=0, steps=0)])).missing == ("web",)


def test_tables_have_a_row_for_all_and_for_each_domain() -> None:
    made = evaluation([session(0, 1.0, True), session(1, 2.0, False, domain="ml"), session(2, 2.5, None, steps=0, hits=0)])
    likely, tools, notes = (part.splitlines() for part in made.table().split("\n\n"))
    assert [line.split()[0] for line in likely] == ["sessions", "all", "ml", "web"] and "1.000 (n=2)" in likely[1] and " - " in likely[2]
    assert likely[1].split()[:6] == ["all", "3", "3", "1", "1", "1"] and likely[3].split()[:6] == ["web", "2", "2", "1", "0", "1"]
    assert [line.split()[0] for line in tools] == ["next", "steps", "all", "ml", "web"] and tools[2].split() == ["all", "4", "0.500", "(n=2)", *"---"]
    assert notes[0] == "3 sessions: 3 read (1 good, 1 bad, 1 unknown by outcome.verified), 0 without a plan, 0 cut to max_tokens"
    assert "above 0 is good" in notes[1] and "cut: " not in made.table() and "\ncut: late" in made._replace(failure="late").table()
    json.dumps(made.to_dict(), allow_nan=False)
    crossed = CrossDomain({"base": made}, ("ml", "web"))
    assert crossed.table().splitlines()[1].split() == ["base", "2.000", "1.750"]
    assert crossed.to_dict()["base"]["ml"] == {"nll": 2.0, "gap": None, "gap_within": None, "next_tool": 0.5}


def test_a_verified_outcome_of_one_half_is_good_here_and_in_areas() -> None:
    from ebmhw.karl.baselines import auc
    from ebmhw.karl.evaluation.labels import labels_of
    from ebmhw.karl.trajectory import Outcome, Trajectory

    verified = [0.0, 0.49, 0.5, 0.51, 1.0]
    sessions = [Trajectory(f"traj_{value}", f"{value}", outcome=Outcome(verified=value)) for value in verified]
    assert labels_of(sessions).good == (False, False, True, True, True)
    area = auc(verified, verified)
    assert area is not None and (area.positives, area.negatives) == (3, 2)
