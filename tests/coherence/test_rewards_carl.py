"""The composite reward of coherence, against the formulas of coherence.md written anew; phases, states, sources and threads."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.coherence import CoherenceTrace, rewards
from ebmhw.coherence.rewards import (
    CARLReward,
    DispersionReward,
    DiversityReward,
    EMLCompositeReward,
    PhaseAdaptiveCARLReward,
    diversity_reward,
    make_carl_reward,
)
from ebmhw.errors import ConfigError, ValidationError

VOCABULARY = 50


def trace_of(phi: Any, prob: Any = None, ids: Any = None) -> CoherenceTrace:
    values = np.array(phi, dtype=float)
    chosen = np.full(len(values), 0.5) if prob is None else np.array(prob, dtype=float)
    return CoherenceTrace.of_fields(values, (1 - values) * math.log(VOCABULARY), chosen, VOCABULARY, token_ids=ids)


class Source:
    """Traces by token ids, as a capture has them."""

    def __init__(self, traces: dict[tuple[int, ...], CoherenceTrace | None]) -> None:
        self.traces = traces

    def traces_for(self, completion_ids: Sequence[Sequence[int]]) -> list[CoherenceTrace | None]:
        return [self.traces.get(tuple(ids)) for ids in completion_ids]


def composite(phi: list[float], prob: list[float], weights: tuple[float, float, float]) -> float:
    """The composite from its definition."""
    count, above, below = len(phi), 0.0, 0.0
    for j in range(min(math.floor(math.log2(count)), 15) + 1):
        size = 2**j
        blocks = [phi[start : start + size] for start in range(0, count - size + 1, size)]
        stds = [math.sqrt(sum((x - sum(block) / size) ** 2 for x in block) / size) for block in blocks]
        steady = min(1.0, max(0.0, 1 - sum(stds) / len(stds)))
        above, below = above + 2 ** (j / 2) * steady, below + 2 ** (j / 2)
    cloud = sum(p * x for p, x in zip(prob, phi, strict=True)) / count
    events = []
    for before, after in pairwise(phi):
        if after - before > 0.03:
            events.append(0.8 if before < 0.5 else 0.3)
        elif after - before < -0.03:
            events.append(0.2 if before > 0.7 else 0.5)
    jumps = sum(events) / len(events) if events else 0.5
    return weights[0] * above / below + weights[1] * cloud + weights[2] * jumps


# Differences that are not near .03, which rounding of a difference could put on either side.
levels = st.integers(0, 25).map(lambda k: k / 25)
fields = st.lists(st.tuples(levels, levels), min_size=2, max_size=40)


@given(st.lists(fields, min_size=1, max_size=4))
def test_the_static_composite(batch: list[list[tuple[float, float]]]) -> None:
    traces = {(i,): trace_of(*zip(*rows, strict=True)) for i, rows in enumerate(batch)}
    right = [composite(*map(list, zip(*rows, strict=True)), (0.5, 0.3, 0.2)) for rows in batch]
    reward = make_carl_reward(Source(traces))
    ids = [[i] for i in range(len(batch))]
    assert reward(completions=["x"] * len(batch), completion_ids=ids) == pytest.approx(right, abs=1e-9)
    assert reward.__name__ == "carl_composite_reward"
    assert reward.last_traces == list(traces.values())
    assert reward.last_scores == pytest.approx(right, abs=1e-9)
    score, parts = CARLReward().score_from_trace(traces[(0,)])
    assert score == pytest.approx(0.5 * parts["multiscale"] + 0.3 * parts["cloud_quality"] + 0.2 * parts["discontinuity"])
    assert reward.last_components[0] == parts


@given(st.lists(fields, min_size=1, max_size=5), st.integers(1, 3))
def test_phase_weights_follow_the_batch_before_and_are_the_same_within_a_batch(batch: list, size: int) -> None:
    table = [(0.3, (0.2, 0.3, 0.5)), (0.7, (0.4, 0.3, 0.3)), (9.0, (0.6, 0.3, 0.1))]
    reward, weights = PhaseAdaptiveCARLReward(), (0.5, 0.3, 0.2)
    assert reward.current_phase == "unknown"
    for start in range(0, len(batch), size):
        rows = [tuple(map(list, zip(*one, strict=True))) for one in batch[start : start + size]]
        scores = reward.compute([trace_of(*row) for row in rows])
        assert scores == pytest.approx([composite(*row, weights) for row in rows], abs=1e-9)
        order = np.mean([abs(np.mean(np.exp(1j * np.pi * np.array(phi)))) for phi, _ in rows])
        if min(abs(order - 0.3), abs(order - 0.7)) < 1e-9:
            return
        weights = next(entry for bound, entry in table if order < bound)
        assert reward.current_weights == weights
        assert reward.order == pytest.approx(order)


def test_neighbours_in_a_batch_do_not_change_a_score() -> None:
    """In carl-studio each completion is scored by the phase of the one before it, so that these two orders give different scores."""
    calm, wild = trace_of([0.9] * 8), trace_of([0.0, 1.0] * 4)
    for reward in (PhaseAdaptiveCARLReward(), CARLReward()):
        forth = reward.compute([calm, wild, calm])
    assert forth[0] == forth[2]
    one, other = PhaseAdaptiveCARLReward(), PhaseAdaptiveCARLReward()
    assert one.compute([calm, wild]) == other.compute([wild, calm])[::-1]


def test_a_batch_without_traces_leaves_the_phase_as_it_is() -> None:
    reward = PhaseAdaptiveCARLReward()
    reward.compute([trace_of([0.0, 1.0] * 4)])
    before = reward.current_weights, reward.current_phase, reward.order
    assert before[1:] == ("gaseous", pytest.approx(0.0))
    assert reward.compute([None, trace_of([0.3]), trace_of([])]) == [None, pytest.approx(0.2 + 0.3 * 0.15 + 0.5 * 0.5), None]
    assert (reward.current_weights, reward.current_phase, reward.order) == before


def test_a_restored_reward_goes_on_alike() -> None:
    batches = [[trace_of(phi) for phi in ([0.1, 0.9] * 4, [0.2] * 6)], [trace_of([0.0, 1.0, 0.5])], [trace_of([0.5, 0.9, 0.1])]]
    for kind in ("static", "phase_adaptive"):
        whole, first = make_carl_reward(Source({}), kind), make_carl_reward(Source({}), kind)
        for batch in batches[:2]:
            whole.scorer.compute(batch)
            first.scorer.compute(batch)
        kept = json.loads(json.dumps(first.state(), allow_nan=False))
        second = make_carl_reward(Source({}), kind)
        second.restore(kept)
        assert second.state() == whole.state()
        assert second.scorer.compute(batches[2]) == whole.scorer.compute(batches[2])
    # The state matters: without it the scores differ.
    assert make_carl_reward(Source({}), "phase_adaptive").scorer.compute(batches[2]) != second.scorer.compute(batches[2])


@pytest.mark.parametrize(
    "state",
    [{}, None, {"scorer": "CARLReward", "state": {}}, {"scorer": "PhaseAdaptiveCARLReward", "state": {"phase_by": "kuramoto", "order": 2}}],
)
def test_states_of_something_else_are_refused(state: Any) -> None:
    with pytest.raises(ValidationError, match="state"):
        make_carl_reward(Source({}), "phase_adaptive").restore(state)
    other = {"scorer": "PhaseAdaptiveCARLReward", "state": {"phase_by": "dispersion", "order": None}}
    with pytest.raises(ValidationError, match="phase_by='kuramoto'"):
        make_carl_reward(Source({}), "phase_adaptive").restore(other)


def test_the_reward_of_a_tree() -> None:
    source = Source({(i,): trace_of([i / 5, 0.5, 0.9]) for i in range(4)} | {(4,): trace_of([0.5])})
    ids = [[i] for i in range(5)]
    reward = make_carl_reward(source, "eml")
    right = [EMLCompositeReward().score_from_trace(source.traces[(i,)])[0] for i in range(4)]
    assert reward(completions=ids, completion_ids=ids) == [*right, None]
    assert all(0 <= score <= 1 for score in right)
    reward.scorer.fit_step([0.5, 0.5, 0.5], 0.1, lr=0.5)
    after = reward(completions=ids, completion_ids=ids)
    assert after[:4] != right
    again = make_carl_reward(source, "eml")
    again.restore(json.loads(json.dumps(reward.state(), allow_nan=False)))
    assert again(completions=ids, completion_ids=ids) == pytest.approx(after, abs=1e-12)
    assert again.state() == reward.state()


def noise(seed: int, scale: float, count: int = 64, vocabulary: int = 200) -> CoherenceTrace:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, scale, (count, vocabulary))
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    ids = np.array([rng.choice(vocabulary, p=row) for row in p])
    return CoherenceTrace.from_logits(logits, ids)


def test_noise_is_crystalline_by_kuramoto_and_gaseous_by_dispersion() -> None:
    traces = [noise(seed, scale) for seed in range(3) for scale in (0.0, 1.0, 3.0)]
    old, new = PhaseAdaptiveCARLReward(), PhaseAdaptiveCARLReward(phase_by="dispersion")
    paid = old.compute(traces)
    new.compute(traces)
    assert (old.current_phase, new.current_phase) == ("crystalline", "gaseous")
    assert min(paid) > 0.5
    source = Source({(i,): trace for i, trace in enumerate(traces)})
    ids = [[i] for i in range(len(traces))]
    assert DispersionReward(source)(completions=ids, completion_ids=ids) == [0.0] * len(traces)


def test_what_is_unknown_is_none_and_never_nan() -> None:
    source = Source(
        {(1, 2): trace_of([0.5, 0.6]), (3,): trace_of([0.5]), (4, 5): trace_of([math.nan] * 2), (6, 7, 8): trace_of([math.nan, 0.5, 0.6])}
    )
    reward = make_carl_reward(source)
    ids = [[1, 2], [3], [4, 5], [6, 7, 8], [9], None]
    logged: dict[str, float] = {}
    scores = reward(
        completions=["x"] * 7, completion_ids=ids, prompts=["p"] * 7, trainer_state=object(), log_extra=print, log_metric=logged.__setitem__
    )
    assert [score is None for score in scores] == [False, True, True, False, True, True, True]
    assert logged["coherence/n_unscored"] == 5
    assert all(math.isfinite(value) for value in logged.values())
    assert set(logged) == {"coherence/multiscale", "coherence/cloud_quality", "coherence/discontinuity_score", "coherence/n_unscored"}
    assert reward.last_traces[4:] == [None] * 3
    assert make_carl_reward(source, min_tokens=1)(completions=["x"], completion_ids=[[3]])[0] is not None
    assert make_carl_reward(source)(completions=["x", "y"]) == [None, None]
    assert make_carl_reward(source)(completions=[]) == []


def test_a_scorer_of_ones_own_may_say_anything() -> None:
    class Strange:
        def score_from_trace(self, trace: CoherenceTrace) -> tuple[float, dict]:
            return (math.nan if trace.n_tokens == 2 else math.inf if trace.n_tokens == 3 else -1.0), {}

    source = Source({(i,): trace_of([0.5] * i) for i in (2, 3, 4)})
    reward = make_carl_reward(source, Strange())
    assert reward(completions=["x"] * 3, completion_ids=[[2], [3], [4]]) == [None, None, -1.0]
    assert reward.state() == {"scorer": "Strange", "state": {}}


def test_the_completion_s_own_ids_are_what_is_looked_up() -> None:
    """Not its text: the peer tokenises that anew, which merges and splits tokens."""
    source = Source({(5, 6): trace_of([0.1, 0.9]), (7, 8): trace_of([0.9, 0.9])})
    scores = make_carl_reward(source)(completions=["same text", "same text"], completion_ids=[[7, 8], [5, 6]])
    assert scores == [source.traces[(7, 8)].carl_reward(), source.traces[(5, 6)].carl_reward()]


def test_prompts_go_to_sources_that_need_them() -> None:
    class Forward:
        def traces_after(self, prompts: Sequence[Any], completion_ids: Sequence[Sequence[int]]) -> list[CoherenceTrace | None]:
            self.seen = list(zip(prompts, completion_ids, strict=True))
            return [trace_of([0.5, 0.5])] * len(prompts)

    source = Forward()
    scores = make_carl_reward(source)(completions=["x"] * 3, completion_ids=[[1], None, [2]], prompts=["p", "q", "r"])
    assert source.seen == [("p", [1]), ("r", [2])]
    assert scores[1] is None
    assert scores[0] == scores[2] is not None


def test_a_source_that_gives_too_few_traces_is_found_out() -> None:
    class Short:
        def traces_for(self, completion_ids: Sequence[Sequence[int]]) -> list[CoherenceTrace | None]:
            return []

    with pytest.raises(ValidationError, match="Short gave 0 traces for 1 completions"):
        make_carl_reward(Short())(completions=["x"], completion_ids=[[1]])


@pytest.mark.parametrize(
    ("arguments", "options", "named"),
    [
        ((None,), {}, "the source of traces is None"),
        ((Source({}), "adaptive"), {}, "give one of static, phase_adaptive, eml"),
        ((Source({}), "static"), {"phase_by": "dispersion"}, "options of the static reward"),
        ((Source({}), "phase_adaptive"), {"phase_by": "R"}, "phase_by is 'R'"),
        ((Source({}), "static"), {"weight_cloud": -1}, "weight_cloud is -1"),
        ((Source({}), "static"), {"weight_multiscale": "half"}, "weight_multiscale is 'half'"),
        ((Source({}), "phase_adaptive"), {"weight_discontinuity": math.nan}, "weight_discontinuity is nan"),
        ((Source({}), 5), {}, "reward_class is 5"),
        ((Source({}),), {"min_tokens": 0}, "min_tokens is 0"),
    ],
)
def test_rewards_that_cannot_be_made(arguments: tuple, options: dict, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        make_carl_reward(*arguments, **options)


def test_threads_share_a_reward() -> None:
    """Each call's traces, scores and parts are of one batch, whoever else calls."""
    source = Source({(i,): trace_of([i / 10, 1 - i / 10] * 8) for i in range(10)})
    reward = make_carl_reward(source, "phase_adaptive")
    wrong = []

    def work(number: int) -> None:
        for _ in range(50):
            scores = reward(completions=["x"] * 2, completion_ids=[[number]] * 2)
            if scores[0] != scores[1] or len(reward.last_traces) != 2:
                wrong.append(scores)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def distance(left: list[int], right: list[int]) -> float:
    """1 - the mean Dice coefficient of runs of 1 to 4 tokens, ends padded, written anew."""
    total = 0.0
    for order in range(1, 5):
        one, other = ({tuple([*ids, -1, -1, -1][i : i + order]) for i in range(len(ids))} for ids in (left, right))
        total += 2 * len(one & other) / (len(one) + len(other))
    return 1 - total / 4


groups = st.lists(st.tuples(st.sampled_from("pq"), st.none() | st.lists(st.integers(0, 3), max_size=6)), max_size=8)


@given(groups)
def test_diversity_is_measured_within_a_prompt_s_group(rows: list) -> None:
    prompts, ids = [prompt for prompt, _ in rows], [tokens for _, tokens in rows]
    right: list[float | None] = []
    for i, (prompt, tokens) in enumerate(rows):
        start = i
        while start and prompts[start - 1] == prompt:
            start -= 1
        end = next((j for j in range(i, len(rows)) if prompts[j] != prompt), len(rows))
        others = [ids[j] for j in range(start, end) if j != i and ids[j]]
        right.append(sum(distance(tokens, other) for other in others) / len(others) if tokens and others else None)
    logged: dict[str, float] = {}
    scores = diversity_reward(completions=["x"] * len(rows), completion_ids=ids, prompts=prompts, log_metric=logged.__setitem__)
    assert [score is None for score in scores] == [score is None for score in right]
    known = [score for score in right if score is not None]
    assert [score for score in scores if score is not None] == pytest.approx(known, abs=1e-9)
    assert logged == ({"coherence/diversity": pytest.approx(sum(known) / len(known), abs=1e-9)} if known else {})


def test_groups_of_a_given_size() -> None:
    ids = [[1, 2], [1, 2], [1, 2], [3, 4]]
    assert DiversityReward(2)(completions=ids, completion_ids=ids) == pytest.approx([0.0, 0.0, 1.0, 1.0])
    assert diversity_reward(completions=ids, completion_ids=ids) == [None] * 4
    with pytest.raises(ConfigError, match="group_size is 1"):
        DiversityReward(1)


class Gives:
    """A source that gives whatever it was made with."""

    def __init__(self, given: Any) -> None:
        self._given = given

    def traces_for(self, completion_ids: Any) -> Any:
        return self._given


@pytest.mark.parametrize("given_back", [None, 3, "a", [3], ["a"], {0: None}])
def test_a_source_that_gives_no_traces_is_found_out(given_back: Any) -> None:
    for reward in (make_carl_reward(Gives(given_back)), DispersionReward(Gives(given_back))):
        with pytest.raises(ValidationError, match=r"Gives gave .*; it has to give a (list of traces|CoherenceTrace)"):
            reward(["a"], completion_ids=[[1]])


def test_rewards_say_what_is_wrong_with_their_arguments() -> None:
    source = Gives([None])
    with_log = [make_carl_reward(source), DispersionReward(source), rewards.diversity_reward, rewards.verification_reward]
    by_row = [rewards.conciseness_reward, rewards.tool_call_format_reward, rewards.privacy_rewards, rewards.neuralese_v2_reward]
    for reward in (*with_log, *by_row):
        for wrong in (None, 3, "text", {"a": 1}):
            with pytest.raises(ValidationError, match=r"completions are .*; give a list of texts or messages"):
                reward(wrong)
    for reward in with_log:
        with pytest.raises(ValidationError, match="log_metric is 3; give a function of a name and a number"):
            reward(["a"], completion_ids=[[1]], log_metric=3)
    with pytest.raises(ValidationError, match="an entry of completion_ids is 3; give the token ids"):
        rewards.ConcisenessReward(unit="tokens")(["a"], completion_ids=[3])
