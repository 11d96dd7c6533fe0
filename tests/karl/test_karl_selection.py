"""Selection: every method against brute force or counts, quotas, repeatability, and what must not pass."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from karl_cases import trajectories

from ebmhw.errors import InvalidModel, InvalidRun, ValidationError
from ebmhw.karl.record import Scored
from ebmhw.karl.reward.reward import Reward
from ebmhw.karl.selection import METHODS, compare, select
from ebmhw.karl.selection.drawing import balanced_counts, gumbel_keys, preference
from ebmhw.karl.selection.features import session_vectors
from ebmhw.karl.selection.mending import mended
from ebmhw.karl.selection.proving import proved_best
from ebmhw.karl.trajectory import ToolEvent, Trajectory, trajectory_id
from ebmhw.problems import SubsetSelection
from ebmhw.problems.subset_bounds import SubsetCosts


def sessions(domains: list[str | None]) -> list[Trajectory]:
    return [
        Trajectory(id=trajectory_id(f"s{i}"), session_id=f"s{i}", domain=domain, prompt=f"task {i}", events=(ToolEvent("Read"), ToolEvent("Edit")))
        for i, domain in enumerate(domains)
    ]


def a_case(seed: int, n: int, domains: int = 3) -> tuple[list[Trajectory], np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    vectors = np.abs(random.normal(size=(n, 4))) ** 2
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    matrix = vectors @ vectors.T
    return sessions([f"d{i}" for i in random.integers(domains, size=n)]), random.normal(size=n), (matrix + matrix.T) / 2


def worth(chosen: Any, advantages: Any, matrix: Any, weight: float) -> float:
    """The objective, written anew from its definition."""
    return sum(float(advantages[i]) for i in chosen) - weight * sum(float(matrix[i][j]) for i, j in combinations(sorted(chosen), 2))


def best_by_force(case: Any, size: int, weight: float, quotas: dict[str, tuple[int, int]]) -> float:
    trials, advantages, matrix = case
    best = -np.inf
    for chosen in combinations(range(len(trials)), size):
        counts = Counter(trials[i].domain for i in chosen)
        if all(least <= counts[domain] <= most for domain, (least, most) in quotas.items()):
            best = max(best, worth(chosen, advantages, matrix, weight))
    return best


# --- the quadratic choice


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(4, 11), st.data())
def test_small_choices_are_the_best_by_brute_force(seed: int, n: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, n))
    case = a_case(seed, n)
    members = Counter(trajectory.domain for trajectory in case[0])
    domain = data.draw(st.sampled_from(sorted(members)))
    most = data.draw(st.integers(max(0, size - (n - members[domain])), members[domain]))
    least = data.draw(st.integers(0, min(most, size)))
    quotas = {domain: (least, most)} if data.draw(st.booleans()) else {}
    diversity = data.draw(st.sampled_from((0.0, 0.5, 1.0, 4.0)))
    found = select(
        case[0], size, advantages=case[1], similarity=case[2], quotas=quotas, diversity=diversity, backend="cpu", reads=2, sweeps=50, seed=seed
    )
    counts = Counter(case[0][i].domain for i in found.indices.tolist())
    assert len(set(found.indices.tolist())) == size == len(found)
    assert all(low <= counts[name] <= high for name, (low, high) in quotas.items())
    weight = found.info["redundancy_weight"]
    assert found.objective == pytest.approx(worth(found.indices.tolist(), case[1], case[2], weight), abs=1e-5)
    assert found.exact
    assert found.objective == pytest.approx(best_by_force(case, size, weight, quotas), abs=1e-5)


def test_the_sampler_alone_finds_the_best_of_small_choices() -> None:
    for seed in range(6):
        case = a_case(seed, 14)
        found = select(case[0], 5, advantages=case[1], similarity=case[2], backend="cpu", seed=seed)
        assert found.info["found_by"] == "sampler"
        assert found.info["sampled_objective"] == pytest.approx(best_by_force(case, 5, found.info["redundancy_weight"], {}), abs=1e-5)


def test_without_redundancy_it_is_the_sum_of_the_highest_advantages() -> None:
    case = a_case(1, 60)
    found = select(case[0], 10, advantages=case[1], similarity=case[2], diversity=0.0, backend="cpu", seed=0)
    assert set(found.indices.tolist()) == set(np.argsort(-case[1])[:10].tolist())


def test_planted_copies_a_method_that_ignores_redundancy_falls_behind() -> None:
    # Ten groups of ten equal sessions; the groups of the highest advantages would fill the choice.
    n, size = 100, 20
    group = np.arange(n) % 10
    matrix = (group[:, None] == group[None, :]).astype(float)
    advantages = (10 - group) * 0.1 + np.linspace(0, 0.01, n)
    made = compare(sessions([None] * n), size, advantages=advantages, rewards=advantages, similarity=matrix, backend="cpu", seed=3)
    by = {one.method: one for one in made}
    assert by["qubo"].objective > by["top-k"].objective + 0.5
    assert by["qubo"].objective >= by["greedy"].objective - 1e-9
    assert by["top-k"].coverage == pytest.approx(0.2)
    assert by["qubo"].coverage > 0.7
    assert str(made).splitlines()[0].split()[:3] == ["method", "sessions", "objective"] and len(str(made).splitlines()) == 1 + len(METHODS)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_at_least_as_good_as_greedy(seed: int) -> None:
    case = a_case(seed, 150, domains=5)
    quotas = {"d0": (10, 12), "d1": (0, 2), "d2": (None, 5)}
    made = compare(
        case[0], 30, ("greedy", "qubo", "uniform"), advantages=case[1], similarity=case[2], quotas=quotas, backend="cpu", sweeps=100, seed=seed
    )
    assert made[1].objective >= made[0].objective - 1e-9
    assert made[1].objective > made[2].objective
    for one in made:
        counts = Counter(trajectory.domain for trajectory in one.of(case[0]))
        assert 10 <= counts["d0"] <= 12 and counts["d1"] <= 2 and counts["d2"] <= 5 and sum(counts.values()) == 30


def test_the_objective_is_that_of_subset_selection() -> None:
    case = a_case(5, 12)
    found = select(case[0], 4, advantages=case[1], similarity=case[2], backend="cpu", seed=0)
    weight = found.info["redundancy_weight"]
    pairs = {(i, j): weight * case[2][i, j] for i, j in combinations(range(12), 2)}
    problem = SubsetSelection(dict(enumerate(case[1].tolist())), 4, pairs)
    assert problem.cost(tuple(found.indices.tolist())) == pytest.approx(-found.objective, abs=1e-5)


def test_backends_choose_the_same() -> None:
    case = a_case(8, 20)
    found = {
        name: select(case[0], 6, advantages=case[1], similarity=case[2], quotas={"d1": (1, 2)}, backend=name, reads=2, sweeps=40, seed=11)
        for name in ("cpu", "golden")
    }
    assert found["cpu"].indices.tolist() == found["golden"].indices.tolist()
    assert found["cpu"].info["program"] == found["golden"].info["program"]
    assert found["cpu"].info["sampled_objective"] == found["golden"].info["sampled_objective"]


def test_the_simulated_core_chooses_the_same() -> None:
    from cores import simulated

    case = a_case(8, 20)
    one, other = (
        select(case[0], 6, advantages=case[1], similarity=case[2], quotas={"d1": (1, 2)}, backend=backend, reads=2, sweeps=20, seed=11)
        for backend in ("cpu", simulated("small"))
    )
    assert one.indices.tolist() == other.indices.tolist()
    assert one.info["sampled_objective"] == other.info["sampled_objective"] and other.info["backend"] == "simulated"


def test_seeds_repeat_and_differ() -> None:
    case = a_case(2, 80)
    for method in METHODS:
        one, same = (
            select(case[0], 15, method, advantages=case[1], rewards=case[1], similarity=case[2], seed=4, backend="cpu", sweeps=50) for _ in range(2)
        )
        assert one.indices.tolist() == same.indices.tolist() and one.weights.tolist() == same.weights.tolist()
    drawn = {tuple(select(case[0], 15, "uniform", advantages=case[1], similarity=case[2], seed=seed).indices.tolist()) for seed in range(8)}
    assert len(drawn) == 8


def random_costs(seed: int, n: int, size: int, groups: int) -> SubsetCosts:
    """Costs with quotas that a drawn choice keeps."""
    random = np.random.default_rng(seed)
    group = random.integers(groups + 1, size=n)
    kept = np.zeros(n, dtype=bool)
    kept[random.choice(n, size=size, replace=False)] = True
    members = np.array([group == code for code in range(groups)], dtype=bool).reshape(groups, n)
    counts = members @ kept.astype(np.int64)
    quotas = np.stack([np.maximum(counts - random.integers(2, size=groups), 0), counts + random.integers(2, size=groups)], axis=1).reshape(groups, 2)
    pairs = np.triu(random.normal(size=(n, n)) * 0.3 + random.choice((0.0, 1.0)), 1)
    return SubsetCosts(random.normal(size=n), pairs + pairs.T, size, members, quotas)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(2, 10), st.integers(0, 3), st.data())
def test_any_choice_is_mended_and_any_right_one_proved(seed: int, n: int, groups: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, n))
    costs = random_costs(seed, n, size, groups)
    drawn = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    made = mended(costs, drawn)

    def right(chosen: np.ndarray) -> bool:
        return chosen.sum() == size and all(
            low <= chosen[member].sum() <= high for member, (low, high) in zip(costs.members, costs.quotas, strict=True)
        )

    assert right(made) and (not right(drawn) or (made == drawn).all())
    every = [np.isin(np.arange(n), chosen) for chosen in combinations(range(n), size)]
    least = min(costs.cost(chosen) for chosen in every if right(chosen))
    best, proved = proved_best(costs, made)
    assert proved and right(best) and costs.cost(best) == pytest.approx(least)
    # One partial choice is none: nothing is proved of it, unless the bound already is.
    given_up, told = proved_best(costs, made, nodes=1)
    assert right(given_up) and (not told or costs.cost(given_up) == pytest.approx(least))


@pytest.mark.parametrize(("n", "size"), [(1, 1), (2, 1), (2, 2), (3, 3)])
def test_the_smallest_sets(n: int, size: int) -> None:
    made = compare(
        sessions(["a"] * n), size, advantages=np.arange(n), rewards=np.arange(n), similarity=np.full((n, n), 0.5), backend="cpu", sweeps=5, seed=0
    )
    assert [len(one) for one in made] == [size] * len(METHODS) and len(str(made).splitlines()) == 1 + len(METHODS)
    assert made[-1].indices.tolist() == list(range(n - size, n)) and made[-1].exact
    assert (made[-1].info["redundancy"] is None) == (size == 1)


def test_a_greedy_set_of_many_has_the_objective_of_its_pairs() -> None:
    case = a_case(3, 700)
    found = select(case[0], 600, "greedy", advantages=case[1], similarity=case[2])
    chosen = found.indices
    pairs = case[2][np.ix_(chosen, chosen)]
    expected = case[1][chosen].sum() - found.info["redundancy_weight"] * np.triu(pairs, 1).sum()
    assert found.objective == pytest.approx(expected, rel=1e-5)
    assert found.info["redundancy"] == pytest.approx(np.triu(pairs, 1).sum() / (600 * 599 / 2), rel=1e-5)


# --- lambda, coverage, weights


@pytest.mark.parametrize(("seed", "n", "size"), [(0, 30, 5), (1, 12, 11), (2, 8, 8), (3, 25, 2)])
def test_lambda_makes_value_and_redundancy_vary_alike(seed: int, n: int, size: int) -> None:
    case = a_case(seed, n)
    found = select(case[0], size, "greedy", advantages=case[1], similarity=case[2])
    random = np.random.default_rng(99)
    sums = []
    for _ in range(20_000):
        i = int(random.integers(n))
        others = random.choice(np.delete(np.arange(n), i), size=size - 1, replace=False)
        sums.append(case[2][i, others].sum())
    assert found.info["redundancy_weight"] == pytest.approx(case[1].std() / np.std(sums), rel=0.03)
    twice = select(case[0], size, "greedy", advantages=case[1], similarity=case[2], diversity=2.0)
    assert twice.info["redundancy_weight"] == pytest.approx(2 * found.info["redundancy_weight"])


def test_equal_similarities_have_no_weight_and_equal_advantages_still_spread() -> None:
    trials = sessions([None] * 12)
    assert select(trials, 3, "greedy", advantages=np.arange(12.0), similarity=np.full((12, 12), 0.4)).info["redundancy_weight"] == 0.0
    group = np.arange(12) % 3
    matrix = (group[:, None] == group[None, :]).astype(float)
    found = select(trials, 3, advantages=np.zeros(12), similarity=matrix, backend="cpu", seed=1)
    assert len({group[i] for i in found.indices.tolist()}) == 3 and found.exact


def test_coverage_and_effective_size_are_what_they_say() -> None:
    case = a_case(6, 40)
    found = select(case[0], 7, "top-k", advantages=case[1], rewards=case[1], similarity=case[2], neighbour=0.9)
    chosen = found.indices.tolist()
    covered = sum(i in chosen or any(case[2][i, j] >= 0.9 for j in chosen) for i in range(40))
    assert found.coverage == pytest.approx(covered / 40)
    expected = np.exp((case[1][chosen] - case[1].max()) / 2.0)
    assert found.weights == pytest.approx(expected / expected.mean())
    assert found.effective_size == pytest.approx(found.weights.sum() ** 2 / (found.weights**2).sum())
    assert found.domains == len({case[0][i].domain for i in chosen}) / len({trial.domain for trial in case[0]})


# --- draws and ranks


def test_uniform_draws_each_alike() -> None:
    trials = sessions([None] * 10)
    counts = Counter(
        i for seed in range(600) for i in select(trials, 3, "uniform", advantages=np.arange(10.0), similarity=np.eye(10), seed=seed).indices.tolist()
    )
    # 180 each, binomial: 5 deviations of 11.2.
    assert all(abs(counts[i] - 180) < 56 for i in range(10))


def test_draws_by_advantage_follow_the_softmax_and_uniform_ones_do_not() -> None:
    advantages = np.array([3.0, 1.0, 0.0, -2.0, -30.0])
    weights = np.maximum(np.exp((advantages - 3.0) / 2.0), 0.01)
    share = weights / weights.sum()
    # The first of two draws without replacement, then the second by what is left.
    expected = np.array([share[i] + sum(share[j] * share[i] / (1 - share[j]) for j in range(5) if j != i) for i in range(5)])
    trials, runs = sessions([None] * 5), 2000

    def inclusion(method: str) -> np.ndarray:
        counts = np.zeros(5)
        for seed in range(runs):
            counts[select(trials, 2, method, advantages=advantages, similarity=np.eye(5), seed=seed).indices] += 1
        return counts / runs

    bound = 5 * np.sqrt(expected * (1 - expected) / runs) + 1e-3
    assert (np.abs(inclusion("advantage") - expected) < bound).all()
    assert not (np.abs(inclusion("uniform") - expected) < bound).all()
    assert preference(advantages)[4] == 0.01
    assert np.isfinite(gumbel_keys(preference(advantages), np.random.default_rng(0))).all()


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.data())
def test_balanced_is_as_equal_as_it_can_be(sizes: list[int], data: st.DataObject) -> None:
    members = {f"d{i}": count for i, count in enumerate(sizes)}
    size = data.draw(st.integers(1, sum(sizes)))
    counts = balanced_counts(size, {domain: (0, count) for domain, count in members.items()}, members)
    assert sum(counts.values()) == size and all(counts[domain] <= members[domain] for domain in members)
    # Who has fewer than another by more than one has nothing left.
    most = max(counts.values())
    assert all(counts[domain] >= most - 1 or counts[domain] == members[domain] for domain in members)


def test_balanced_and_top_k() -> None:
    trials = sessions(["a"] * 20 + ["b"] * 3 + [None] * 7)
    rewards = [Reward(i / 30, 0, 0, 0, 0, 0) for i in range(30)]
    found = select(trials, 12, "balanced", advantages=np.zeros(30), similarity=np.eye(30), seed=5)
    assert Counter(trial.domain for trial in found.of(trials)) in ({"a": 5, "b": 3, None: 4}, {"a": 4, "b": 3, None: 5})
    assert select(trials, 4, "top-k", advantages=np.zeros(30), rewards=rewards, similarity=np.eye(30)).indices.tolist() == [26, 27, 28, 29]
    scored = [Scored(trial, reward, float(i % 7)) for i, (trial, reward) in enumerate(zip(trials, rewards, strict=True))]
    assert select(iter(scored), 4, "top-k", similarity=np.eye(30)).indices.tolist() == [26, 27, 28, 29]
    assert select(scored, 4, "greedy", similarity=np.eye(30), diversity=0).info["advantage"] == 24.0
    limited = select(trials, 4, "top-k", advantages=np.zeros(30), rewards=rewards, similarity=np.eye(30), quotas={"_global": (0, 1), "b": (2, 2)})
    assert limited.indices.tolist() == [19, 21, 22, 29]


def test_with_replacement_sessions_weigh_as_often_as_they_are_drawn() -> None:
    trials = sessions(["a"] * 2 + ["b"] * 30)
    found = select(trials, 20, "balanced", advantages=np.zeros(32), similarity=np.eye(32), replace=True, seed=1)
    counts = found.weights / found.weights.min()
    assert len(set(found.indices.tolist())) == len(found) < 20
    shares = {domain: sum(w for w, i in zip(found.weights, found.indices.tolist(), strict=True) if trials[i].domain == domain) for domain in "ab"}
    assert shares["a"] == pytest.approx(shares["b"]) and counts == pytest.approx(np.round(counts))


# --- what is left out


def test_what_is_excluded_or_repeated_is_never_chosen() -> None:
    trials = sessions([None] * 12)
    trials.append(trials[11])
    held = {trials[i].id for i in (9, 10)}
    for method in METHODS:
        found = select(
            trials, 10, method, advantages=np.arange(13.0), rewards=np.arange(13.0), similarity=np.eye(13), exclude=held, backend="cpu", sweeps=20
        )
        assert sorted(found.indices.tolist()) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 11]
        assert found.info["excluded"] == 2 and found.info["repeated_ids"] == 1


def test_large_stores_are_narrowed_and_say_so() -> None:
    trials = sessions(["big"] * 150 + ["small"] * 10)
    advantages = np.concatenate([np.linspace(0, 3, 150), np.linspace(-2, -1, 10)])
    similarity = a_case(0, 160)[2]
    options: dict[str, Any] = {"advantages": advantages, "similarity": similarity, "quotas": {"small": (4, None)}, "backend": "cpu", "seed": 0}
    found, all_of_them = select(trials, 10, pool=40, **options), select(trials, 10, **options)
    assert found.info["narrowed_from"] == 160 and found.info["narrowed_to"] == 40 and not found.exact
    assert "narrowed_from" not in all_of_them.info
    assert sum(trials[i].domain == "small" for i in found.indices.tolist()) >= 4
    assert found.info["redundancy_weight"] == all_of_them.info["redundancy_weight"]
    assert all_of_them.objective >= found.objective >= all_of_them.objective - 0.1
    # Greedy is the same, whether it holds all pairs or not.
    one, other = (select(trials, 10, "greedy", pool=pool, **options) for pool in (40, 2048))
    assert one.indices.tolist() == other.indices.tolist() and found.objective >= one.objective - 1e-9
    assert len(select(trials, 60, "greedy", pool=40, **options)) == 60
    with pytest.raises(ValidationError, match="size is 60, but the quadratic problem is made of at most 40 sessions"):
        select(trials, 60, pool=40, **options)


def test_lambda_of_a_sample_is_near_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    case = a_case(4, 600)
    expected = select(case[0], 100, "greedy", advantages=case[1], similarity=case[2]).info["redundancy_weight"]
    monkeypatch.setattr("ebmhw.karl.selection.candidates.SAMPLE_LIMIT", 150)
    found = select(case[0], 100, "greedy", advantages=case[1], similarity=case[2]).info["redundancy_weight"]
    assert found != expected and found == pytest.approx(expected, rel=0.15)


# --- features


@settings(max_examples=40)
@given(st.lists(trajectories(), min_size=1, max_size=6))
def test_vectors_have_length_one_and_equal_sessions_are_alike(made: list[Trajectory]) -> None:
    vectors = session_vectors([*made, made[0].but(id="traj_other")])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(vectors)))
    assert float(vectors[0] @ vectors[-1]) == pytest.approx(1.0)


def crc_32(data: bytes) -> int:
    """CRC-32 bit by bit, by its polynomial."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def test_vectors_tell_sessions_apart_and_do_not_depend_on_the_process() -> None:
    one = Trajectory(
        "traj_1", "1", prompt="fix the parser", events=(ToolEvent("Read"), ToolEvent("Edit"), ToolEvent("Bash", {"command": "pytest -q"}))
    )
    near = one.but(id="traj_2", prompt="fix the lexer")
    far = Trajectory("traj_3", "3", prompt="write a poem", events=(ToolEvent("WebSearch", {"query": "poems"}), ToolEvent("Write")))
    vectors = session_vectors([one, near, far])
    assert vectors[0] @ vectors[1] > 0.75 > 0.4 > vectors[0] @ vectors[2]
    # "pytest" and "ls" of a shell differ; the places are CRC-32's.
    other = session_vectors([one.but(events=(*one.events[:2], ToolEvent("Bash", {"command": "ls"})))])
    assert vectors[0] @ other[0] < 0.999
    assert np.flatnonzero(session_vectors([Trajectory("traj_4", "4", prompt="word")])[0][:256]).tolist() == [crc_32(b"word") % 256]


def test_a_function_is_asked_about_pairs() -> None:
    trials = sessions(["a", "b", "a", "b"])
    asked = []

    def alike(first: Trajectory, second: Trajectory) -> float:
        asked.append((first.session_id, second.session_id))
        return 1.0 if first.domain == second.domain else 0.0

    found = select(trials, 2, advantages=[1.0, 0.9, 1.0, 0.9], similarity=alike, backend="cpu", seed=0)
    assert sorted(asked) == sorted((f"s{i}", f"s{j}") for i, j in combinations(range(4), 2))
    assert {trials[i].domain for i in found.indices.tolist()} == {"a", "b"}


def test_a_quadratic_choice_says_where_its_seconds_went() -> None:
    found = select(sessions(["a", "b"] * 20), 6, advantages=np.linspace(-1, 1, 40), backend="cpu", reads=4, sweeps=100, seed=0)
    parts = [found.info[f"{name}_s"] for name in ("greedy", "compiling", "sampling", "polishing", "proving")]
    assert min(parts) >= 0 and found.info["sampling_s"] > 0 and 0.5 * found.seconds < sum(parts) <= found.seconds


# --- wrong arguments


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"size": 0}, ValidationError, "size is 0; give how many of the 6"),
        ({"size": 7}, ValidationError, "1 to 6"),
        ({"size": True}, ValidationError, "size is True"),
        ({"method": "best"}, ValidationError, "method is 'best'; give one of uniform"),
        ({"advantages": [1.0] * 5}, ValidationError, r"advantages have shape \(5,\); give \(6,\)"),
        ({"advantages": [1.0] * 5 + [float("nan")]}, ValidationError, "advantages hold nan for session 5"),
        ({"rewards": ["x"] * 6}, ValidationError, "rewards are not all real numbers"),
        ({"similarity": np.eye(5)}, ValidationError, r"shape \(5, 5\); give \(6, 6\)"),
        ({"similarity": np.arange(36.0).reshape(6, 6)}, ValidationError, "one way and .* the other"),
        ({"similarity": np.full((6, 6), np.inf)}, ValidationError, "sessions 0 and 0 is inf"),
        ({"similarity": lambda a, b: "x"}, ValidationError, "similarity of traj_s0"),
        ({"diversity": -1}, ValidationError, "diversity is -1"),
        ({"diversity": float("nan")}, ValidationError, "diversity is nan"),
        ({"exclude": "traj_1"}, ValidationError, "give a collection of ids"),
        ({"exclude": [1]}, ValidationError, "exclude holds 1"),
        ({"seed": -1}, ValidationError, "seed is -1"),
        ({"replace": True}, ValidationError, "replace=True is for uniform"),
        ({"similarity": lambda a, b: 1 / 0}, ValidationError, "similarity of traj_s0.* and traj_s1.* cannot be told: the function raised ZeroDivis"),
        ({"reads": 0}, ValidationError, "reads is 0"),
        ({"reads": 10**9}, ValidationError, "reads is 1000000000; give a whole number, 1 to 4096"),
        ({"sweeps": 10**9}, ValidationError, "sweeps is 1000000000; give a whole number, 1 to 100000"),
        ({"sweeps": 10**9, "method": "greedy"}, ValidationError, "sweeps is 1000000000"),
        ({"pool": 2049}, ValidationError, "pool is 2049; give of how many sessions"),
        ({"backend": "quantum"}, InvalidRun, "no backend 'quantum'"),
        ({"backend": 3}, InvalidRun, "backend is 3"),
        ({"neighbour": None}, ValidationError, "neighbour is None"),
        ({"quotas": {"a": (4, None)}}, InvalidModel, "asks for 4 sessions, but it has 3 and the selection 3"),
        ({"quotas": {"x": (1, None)}}, InvalidModel, "asks for 1 sessions, but it has 0"),
        ({"quotas": {"a": (2, 1)}}, InvalidModel, "is 2 to 1; give the lower number first"),
        ({"quotas": {"a": (2, None), "b": (2, None)}}, InvalidModel, "ask for 4 sessions together"),
        ({"quotas": {"a": (None, 1), "b": (None, 1)}}, InvalidModel, "allow 2 sessions together"),
        ({"quotas": {"a": 3}}, InvalidModel, r"give \(least, most\)"),
        ({"quotas": {"a": (-1, 3)}}, InvalidModel, "whole numbers from 0"),
    ],
)
def test_wrong_arguments_are_refused(options: dict[str, Any], error: type[Exception], text: str) -> None:
    given = {"size": 3, "advantages": np.zeros(6), "similarity": np.eye(6), "backend": "cpu", "sweeps": 10, **options}
    with pytest.raises(error, match=text):
        select(sessions(["a", "b"] * 3), **given)


def test_nothing_to_choose_from() -> None:
    with pytest.raises(ValidationError, match="no session to choose: 0 are given"):
        select([], 1)
    with pytest.raises(ValidationError, match="1 of them are excluded"):
        select(sessions(["a"]), 1, exclude=[sessions(["a"])[0].id])
    with pytest.raises(ValidationError, match="sessions are None; give trajectories"):
        select(None, 5)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ValidationError, match="session 0 is 'x'; give trajectories"):
        select(["x"], 1)  # type: ignore[list-item]  # what is tested
