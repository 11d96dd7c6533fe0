"""AUC against counting pairs, intervals against simulation, and the table of scores."""

from __future__ import annotations

import json
import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import InvalidTrajectory, ValidationError
from ebmhw.karl.baselines import auc, auc_difference, auc_within, separation
from ebmhw.karl.reward.reward import SIGNALS, WEIGHTS, Reward
from ebmhw.karl.trajectory import Outcome, ToolEvent, Trajectory

SCORES = st.one_of(st.none(), st.integers(-2, 2), st.floats(-1, 1))
LABELS = st.sampled_from((None, True, False, 0.0, 0.49, 0.5, 1.0))
PAIRS = st.lists(st.tuples(SCORES, LABELS), max_size=25)


def wins(one, other):
    return 1.0 if one > other else 0.5 if one == other else 0.0


def classes(pairs):
    known = [(score, label) for score, label in pairs if score is not None and label is not None]
    return [score for score, label in known if label >= 0.5], [score for score, label in known if label < 0.5]


@settings(max_examples=300)
@given(PAIRS)
def test_auc_counts_pairs(pairs):
    good, bad = classes(pairs)
    found = auc([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    if not good or not bad:
        assert found is None
        return
    assert found.value == pytest.approx(np.mean([wins(one, other) for one in good for other in bad]), abs=1e-12)
    assert (found.positives, found.negatives) == (len(good), len(bad))
    assert 0 <= found.low <= found.value + 1e-9 and found.value - 1e-9 <= found.high <= 1
    assert found.low < found.high


@settings(max_examples=200)
@given(PAIRS)
def test_the_interval_is_delongs(pairs):
    """By its definition, in loops; where the variance is 0, its ends solve Newcombe's equation."""
    good, bad = classes(pairs)
    if not good or not bad:
        return
    found = auc([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    z = NormalDist().inv_cdf(0.975)
    variance = 0.0
    if len(good) > 1 and len(bad) > 1:
        above = [np.mean([wins(one, other) for other in bad]) for one in good]
        below = [np.mean([wins(one, other) for one in good]) for other in bad]
        variance = np.var(above, ddof=1) / len(good) + np.var(below, ddof=1) / len(bad)
    if variance > 1e-15 and 1e-9 < found.value < 1 - 1e-9:
        logit = math.log(found.value / (1 - found.value))
        half = z * math.sqrt(variance) / (found.value * (1 - found.value))
        assert (found.low, found.high) == pytest.approx((1 / (1 + math.exp(half - logit)), 1 / (1 + math.exp(-half - logit))), rel=1e-6)
        return
    mean = (len(good) + len(bad)) / 2 - 1
    for end, far in ((found.low, 0), (found.high, 1)):
        if abs(end - far) > 1e-9 and abs(end - found.value) > 1e-9:
            spread = end * (1 - end) * (1 + mean * ((1 - end) / (2 - end) + end / (1 + end))) / (len(good) * len(bad))
            assert abs(found.value - end) == pytest.approx(z * math.sqrt(spread), rel=1e-6)


def coverage(shift, good, bad, width=1.0, draws=600):
    """Return how often intervals, made ``width`` times as wide, hold the true AUC of normals that far apart."""
    rng = np.random.default_rng(7)
    truth = NormalDist().cdf(shift / math.sqrt(2))
    held = 0
    labels = [True] * good + [False] * bad
    for _ in range(draws):
        found = auc(np.concatenate([rng.normal(shift, 1, good), rng.normal(0, 1, bad)]).tolist(), labels)
        held += found.value - width * (found.value - found.low) <= truth <= found.value + width * (found.high - found.value)
    return held / draws


@pytest.mark.parametrize(("shift", "good", "bad"), [(0.0, 30, 70), (1.0, 40, 40), (2.5, 15, 60), (0.5, 8, 12)])
def test_intervals_hold_the_truth_as_often_as_they_say(shift, good, bad):
    # 600 draws: 0.95 +- 4 standard errors of 0.009; small samples may hold it less often, by 0.03.
    assert 0.89 < coverage(shift, good, bad) < 0.99


def test_intervals_that_are_too_narrow_are_noticed():
    """The control: at 0.6 of the width, coverage would be 0.76."""
    assert coverage(1.0, 40, 40, width=0.6) < 0.85


def test_shuffled_labels_separate_nothing():
    rng = np.random.default_rng(3)
    scores = rng.normal(size=200)
    labels = scores + rng.normal(size=200) > 0
    assert auc(scores, labels).low > 0.7
    held = 0
    for _ in range(200):
        found = auc(scores, rng.permutation(labels))
        held += found.low <= 0.5 <= found.high
    assert 0.9 < held / 200 <= 1


def test_differences_of_the_same_sessions():
    rng = np.random.default_rng(11)
    labels = rng.random(300) < 0.4
    base = labels + rng.normal(size=300)
    close = base + 0.1 * rng.normal(size=300)
    worse = rng.normal(size=300)
    found = auc_difference(base, worse, labels)
    assert found.low > 0.1 and found.value == pytest.approx(auc(base, labels).value - auc(worse, labels).value)
    paired = auc_difference(base, close, labels)
    apart = [auc(one, labels) for one in (base, close)]
    # Paired, the interval is far narrower than those of the two apart would say.
    assert paired.high - paired.low < 0.3 * (apart[0].high - apart[0].low)
    assert auc_difference(base, base, labels) == (0, None, None)
    assert auc_difference(base, close, [True] * 300) is None
    assert auc_difference(base, -base, labels).value == pytest.approx(2 * auc(base, labels).value - 1)


def test_differences_cover_no_difference():
    rng = np.random.default_rng(5)
    labels = [True] * 40 + [False] * 60
    held = 0
    for _ in range(300):
        shared = np.array(labels) + rng.normal(size=100)
        found = auc_difference(shared + rng.normal(size=100), shared + rng.normal(size=100), labels)
        held += found.low <= 0 <= found.high
    assert 0.9 < held / 300 < 0.99


def clustered(rng, tasks=30, tries=6):
    """Return scores, labels and tasks: both go with the task, and not with each other besides."""
    kind = np.repeat(np.arange(tasks), tries)
    labels = np.repeat(rng.random(tasks) < 0.5, tries) ^ (rng.random(tasks * tries) < 0.1)
    return rng.normal(size=tasks)[kind] + 0.3 * rng.normal(size=kind.size), labels, kind.tolist()


def test_tries_at_one_task_are_no_independent_observations():
    """Where scores say nothing of labels, intervals by task hold 0.5 as often as they say; the control, those by session, far less often."""
    rng = np.random.default_rng(4)
    held = [0, 0]
    for _ in range(300):
        scores, labels, tasks = clustered(rng)
        for place, found in enumerate((auc(scores, labels, groups=tasks), auc(scores, labels))):
            held[place] += found.low <= 0.5 <= found.high
    assert held[0] / 300 > 0.89
    assert held[1] / 300 < 0.75


@settings(max_examples=100)
@given(PAIRS, st.lists(st.sampled_from((None, "a", "b", "c")), min_size=25, max_size=25))
def test_the_interval_by_task_is_obuchowskis(pairs, drawn):
    tasks = drawn[: len(pairs)]
    known = [(s, label >= 0.5, t if t else number) for number, ((s, label), t) in enumerate(zip(pairs, tasks, strict=True)) if None not in (s, label)]
    good, bad = [(s, t) for s, label, t in known if label], [(s, t) for s, label, t in known if not label]
    scores, labels = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    found = auc(scores, labels, groups=tasks)
    within = [wins(one, other) for one, task in good for other, another in bad if task == another and isinstance(task, str)]
    assert auc_within(scores, labels, tasks) == ((pytest.approx(np.mean(within)) if within else None), len(within))
    assert auc(scores, labels, groups=[None] * len(pairs)) == auc(scores, labels)
    if not good or not bad:
        assert found is None
        return
    kinds = {task for _, task in (*good, *bad)}
    m, n, i = len(good), len(bad), len(kinds)
    i10, i01 = len({task for _, task in good}), len({task for _, task in bad})
    value = np.mean([wins(one, other) for one, _ in good for other, _ in bad])
    assert found.value == pytest.approx(value)
    if i10 < 2 or i01 < 2:
        return
    v10 = {kind: [np.mean([wins(one, other) for other, _ in bad]) for one, task in good if task == kind] for kind in kinds}
    v01 = {kind: [np.mean([wins(one, other) for one, _ in good]) for other, task in bad if task == kind] for kind in kinds}
    x = {kind: sum(own) - len(own) * value for kind, own in v10.items()}
    y = {kind: sum(own) - len(own) * value for kind, own in v01.items()}
    s10 = i10 / ((i10 - 1) * m) * sum(one**2 for one in x.values())
    s01 = i01 / ((i01 - 1) * n) * sum(one**2 for one in y.values())
    s11 = i / (i - 1) * sum(x[kind] * y[kind] for kind in kinds)
    variance = s10 / m + s01 / n + 2 * s11 / (m * n)
    if variance > 1e-9 and 1e-9 < value < 1 - 1e-9:
        half = NormalDist().inv_cdf(0.975) * math.sqrt(variance) / (value * (1 - value))
        logit = math.log(value / (1 - value))
        ends = [1 / (1 + math.exp(min(half - logit, 700))), 1 / (1 + math.exp(-half - logit))]
        assert [found.low, found.high] == pytest.approx(ends, rel=1e-6, abs=1e-9)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValidationError, match="there are 1 scores for 2 labels; give one for each session"):
        auc([1], [True, False])
    with pytest.raises(ValidationError, match="there are 1 groups for 2 labels; give one for each session"):
        auc([1, 2], [True, False], groups=["a"])
    with pytest.raises(ValidationError, match="a score is 'x'; give a number, or None"):
        auc(["x"], [True])
    with pytest.raises(ValidationError, match="confidence is 1; give a number within 0 to 1"):
        auc([1], [True], confidence=1)


def reward(signals):
    return Reward(sum(WEIGHTS[name] * value for name, value in zip(SIGNALS, signals, strict=True)), *signals)


def case(number, verified, calls):
    return Trajectory(f"traj_{number}", f"s{number}", tuple(ToolEvent("Read") for _ in range(calls)), outcome=Outcome(verified=verified))


def test_the_table():
    rng = np.random.default_rng(9)
    labels = [[1.0, 0.0, None][number % 3] for number in range(120)]
    calls = [int(rng.integers(1, 10)) + (0 if label == 1.0 else 4) for label in labels]
    drawn = rng.random((120, 5)).tolist()
    for row, label in zip(drawn, labels, strict=True):
        row[0] = 1.0 if label else 0.0
    rewards = [reward(row) for row in drawn]
    sessions = [case(number, label, count) for number, (label, count) in enumerate(zip(labels, calls, strict=True))]
    table = separation(sessions, rewards, others={"luck": [None, *rng.random(119).tolist()]})
    assert [row.score for row in table.rows] == [*SIGNALS, "total", "total without outcome", "luck", "fewer tool calls"]
    assert (table.sessions, table.good, table.bad) == (120, 40, 40)
    by_name = {row.score: row for row in table.rows}
    assert by_name["outcome"].auc.value == 1 and by_name["outcome"].sessions == 80 and by_name["luck"].sessions == 79
    plain = {
        "fewer tool calls": [-count for count in calls],
        "total": [one.total for one in rewards],
        "total without outcome": [sum(WEIGHTS[name] * getattr(one, name) for name in SIGNALS[1:]) / 0.7 for one in rewards],
        "process": [one.process for one in rewards],
    }
    for name, scores in plain.items():
        good, bad = classes(list(zip(scores, labels, strict=True)))
        assert by_name[name].auc.value == pytest.approx(np.mean([wins(one, other) for one in good for other in bad]), abs=1e-9)
    assert by_name["fewer tool calls"].over_calls is None
    assert by_name["process"].over_calls.value == pytest.approx(by_name["process"].auc.value - by_name["fewer tool calls"].auc.value)
    json.dumps(table.to_dict(), allow_nan=False)
    lines = str(table).splitlines()
    assert lines[0] == "120 sessions of 120 tasks: 40 verified as good, 40 as bad, 40 unknown"
    assert lines[1].split()[:3] == ["score", "sessions", "AUC"] and lines[-1].startswith("fewer tool calls") and len(lines) == 11


def test_tries_at_the_same_task():
    """A score that knows how hard a task is separates sessions, but not the tries at one task."""
    rng = np.random.default_rng(13)
    hard = rng.random(40)
    sessions, rewards = [], []
    for number in range(240):
        ease = hard[number % 40]
        known = {"task": f"t{number % 40}"} if number % 40 < 20 else {"prompt": f"p{number % 40}"}
        sessions.append(case(number, float(rng.random() < ease), 2).but(**known))
        rewards.append(reward((0.5, ease, rng.random(), 0.5, 0.5)))
    table = separation(sessions, rewards)
    process = table.rows[SIGNALS.index("process")]
    assert table.tasks == 40 and process.auc.low > 0.6 and process.within == 0.5 and process.pairs > 100
    assert table.rows[-1].auc.value == 0.5


def test_calls_that_are_not_kept_count():
    long = case(0, 0.0, 1).but(tool_counts={"Read": 500})
    assert separation([long, case(1, 1.0, 3)], [reward((0, 0, 0, 0, 0))] * 2).rows[-1].auc.value == 1


def test_no_verified_outcome_is_no_auc():
    table = separation([case(0, None, 2), case(1, 1.0, 2)], [reward((0, 0, 0, 0, 0))] * 2)
    assert all(row.auc is None for row in table.rows) and str(table).count("-") > 8
    assert separation([]).sessions == 0


def test_names_and_counts_are_checked():
    with pytest.raises(InvalidTrajectory, match="another score is named 'total'; give it a name of its own"):
        separation([case(0, 1.0, 1)], [reward((0, 0, 0, 0, 0))], others={"total": [1.0]})
    with pytest.raises(InvalidTrajectory, match="the score 'luck' has 0 values for 1 sessions"):
        separation([case(0, 1.0, 1)], [reward((0, 0, 0, 0, 0))], others={"luck": []})
    with pytest.raises(InvalidTrajectory, match=r"the reward of traj_0 is 0\.5; give a Reward"):
        separation([case(0, 1.0, 1)], [0.5])
