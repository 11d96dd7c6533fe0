"""Anticipation geometry: judged by loops written from the formulas, and by what it must not depend on."""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw import get_backend
from ebmhw.coherence import CoherenceTrace
from ebmhw.errors import ConfigError, InvalidTrace
from ebmhw.karl.geometry import SCALARS, anticipation, call_states, correlation, fused, hashed, settled, token_states, turn_states
from ebmhw.karl.reward.reward import SIGNALS, Reward
from ebmhw.karl.trajectory import ToolEvent, Trajectory, Turn

ARRAYS = ("commitment", "uncertainty", "pressure", "recovery")


def plain(states):
    """The formulas as they stand in the text; of states without direction or branching point as the module says."""
    count = len(states)

    def distance(a, b):
        return math.sqrt(sum((x - y) ** 2 for x, y in zip(states[a], states[b], strict=True)))

    steps = [distance(t, t - 1) for t in range(1, count)]
    c = [0.5, *(1 - step / max(steps) if max(steps) > 0 else 1.0 for step in steps)]
    u = []
    for t in range(count):
        near = sorted(range(t), key=lambda j: (distance(t, j), j))[:5]
        moves = [[x - y for x, y in zip(states[j], states[t], strict=True)] for j in near]
        moves = [move for move in moves if any(move)]
        counts = [0] * 8
        for a in range(len(moves)):
            for b in range(a):
                dot = sum(x * y for x, y in zip(moves[a], moves[b], strict=True))
                cosine = dot / math.sqrt(sum(x * x for x in moves[a])) / math.sqrt(sum(y * y for y in moves[b]))
                angle = math.acos(max(-1, min(1, cosine)))
                counts[min(7, int(angle / (math.pi / 8) + 1e-9))] += 1
        pairs = sum(counts)
        u.append(-sum(n / pairs * math.log2(n / pairs) for n in counts if n) / 3 if pairs else 0.5)

    def smooth(values):
        changes = [0.0, 0.0, *(values[t] - values[t - 1] for t in range(1, count)), 0.0]
        return [sum(changes[t : t + 3]) / 3 for t in range(count)]

    p = [a - b for a, b in zip(smooth(c), smooth(u), strict=True)]
    centre = [sum(column) / count for column in zip(*states, strict=True)]
    reach = 2 * max(math.dist(state, centre) for state in states)
    ordered = sorted(u)
    median = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    r = []
    for t in range(count):
        branching = [distance(t, j) for j in range(t + 1) if u[j] >= median - 1e-12]
        r.append((1 - min(branching) / reach if reach > 0 else 1.0) if branching else math.nan)
    return c, u, p, r


@st.composite
def sequences(draw):
    count, size = draw(st.integers(1, 24)), draw(st.integers(1, 6))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(("normal", "walk", "grid", "few")))
    if kind == "normal":
        return numbers.standard_normal((count, size))
    if kind == "walk":
        return np.cumsum(numbers.standard_normal((count, size)), axis=0)
    # Equal states, equal distances, right angles.
    states = numbers.integers(0, 3, (count, size)).astype(float)
    return states if kind == "grid" else states[numbers.integers(0, min(3, count), count)]


@given(sequences())
def test_scalars_follow_the_formulas(states):
    found = anticipation(states)
    for name, want in zip(ARRAYS, plain(states.tolist()), strict=True):
        np.testing.assert_allclose(getattr(found, name), want, rtol=0, atol=1e-9, equal_nan=True, err_msg=name)
    c, _, p, r = plain(states.tolist())
    if len(states) < 3:
        assert all(getattr(found, name) is None for name in SCALARS)
        return
    mean = sum(p) / len(p)
    assert found.tp_std == pytest.approx(math.sqrt(sum((x - mean) ** 2 for x in p) / len(p)), abs=1e-9)
    assert found.tp_positive_ratio == pytest.approx(sum(x > 1e-9 for x in p) / len(p))
    assert found.commitment_mean == pytest.approx(sum(c) / len(c))
    known = [x for x in r if x == x]
    assert found.recovery_mean == pytest.approx(sum(known) / len(known))


@given(sequences(), st.sampled_from((0.25, 8.0, 2.0**300, 2.0**-300)))
def test_scalars_know_no_place_scale_or_turn(states, factor):
    found = anticipation(states)
    for other in (states * factor, states + 5.0, states[:, ::-1]):
        again = anticipation(other)
        for name in ARRAYS:
            np.testing.assert_allclose(getattr(again, name), getattr(found, name), rtol=0, atol=1e-9, equal_nan=True)


def test_scalars_see_the_order():
    """The negative control: another order is another session."""
    states = np.random.default_rng(1).standard_normal((30, 8))
    assert anticipation(states).tp_std != pytest.approx(anticipation(np.random.default_rng(2).permutation(states)).tp_std, abs=1e-6)


def test_long_sequences_are_whole():
    states = np.cumsum(np.random.default_rng(1).standard_normal((700, 3)), axis=0)
    found = anticipation(states)
    start = anticipation(states[:300])
    np.testing.assert_allclose(found.uncertainty[:300], start.uncertainty)
    assert found.states == 700
    c, u, p, r = plain(states[:280].tolist())
    for name, want in zip(ARRAYS, (c, u, p, r), strict=True):
        np.testing.assert_allclose(getattr(anticipation(states[:280]), name), want, rtol=0, atol=1e-9, equal_nan=True)


def test_states_that_never_move():
    found = anticipation(np.ones((6, 4)))
    assert found.commitment.tolist() == [0.5, 1, 1, 1, 1, 1]
    assert found.uncertainty.tolist() == [0.5] * 6
    assert found.recovery.tolist() == [1.0] * 6


@pytest.mark.parametrize("states", [[], np.zeros((0, 5)), [[1.0, 2.0]], [[1.0], [2.0]]])
def test_short_sessions_are_unknown(states):
    found = anticipation(states)
    assert found.states == len(states)
    told = found.to_dict()
    assert all(told[name] is None for name in SCALARS)
    json.dumps(told, allow_nan=False)
    assert fused(0.7, found) == 0.7


def test_json_holds_no_nan():
    # The first states have no branching point before them.
    states = np.cumsum(np.random.default_rng(0).standard_normal((12, 3)), axis=0)
    found = anticipation(states)
    assert np.isnan(found.recovery[0])
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["recovery"][0] is None


@pytest.mark.parametrize(
    ("states", "text"),
    [
        ([[1.0, 2.0], [np.nan, 0.0]], "state 1 of 2 holds NaN or infinity"),
        ([1.0, 2.0, 3.0], r"shape \(3,\); give \(T, d\)"),
        ([["a", "b"]], "states"),
        ([[1.0], [2.0, 3.0]], "states"),
        ([[None]], "states"),
    ],
)
def test_what_are_no_states(states, text):
    with pytest.raises(InvalidTrace, match=text):
        anticipation(states)


def test_arrays_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        anticipation(np.eye(4)).pressure[0] = 1


# --- embeddings

TEXTS = ["the build failed again", "The BUILD failed, again!", "a song about the sea", "", "   ?!", "été \ud800 日本語のテキスト", "x" * 10_000]


def test_embeddings_are_unit_vectors_of_what_is_said():
    found = hashed(TEXTS)
    assert found.shape == (7, 256)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 1, 1, 0, 0, 1, 1])
    np.testing.assert_array_equal(found[0], found[1])
    assert found[0] @ hashed(["the build failed once more"])[0] > 0.4 > found[0] @ found[2]
    assert hashed([], 8).shape == (0, 8)


def test_embeddings_follow_their_definition():
    text, size = "To be or not to be", 32
    words = text.lower().split()
    grams = Counter({f"w {word}": words.count(word) for word in words})
    grams.update(f"p {a} {b}" for a, b in pairwise(words))
    for word in words:
        grams.update(f"g {('_' + word + '_')[place : place + 4]}" for place in range(len(word) - 1))
    want = np.zeros(size)
    for gram, count in grams.items():
        mixed = crc32(gram.encode()) * 2654435761 % 2**32
        want[(mixed >> 8) % size] += (1 if mixed & 128 else -1) * math.sqrt(count * (1 if gram[0] == "g" else 2))
    np.testing.assert_allclose(hashed([text], size)[0], want / np.linalg.norm(want), atol=1e-12)


def test_embeddings_are_the_same_in_every_process():
    code = "from ebmhw.karl.geometry import hashed; import hashlib; print(hashlib.sha256(hashed(['a b c d', 'e f g']).tobytes()).hexdigest())"
    made = [
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True).stdout
        for seed in ("1", "2")
    ]
    assert made[0] == made[1]
    assert made[0].strip() == hashlib.sha256(hashed(["a b c d", "e f g"]).tobytes()).hexdigest()


def session_of(*turns, events=()):
    return Trajectory("traj_x", "x", tuple(events), tuple(Turn(role, text) for role, text in turns))


SESSION = session_of(("system", "be kind"), ("user", "fix it"), ("assistant", " "), ("assistant", "done"), ("tool", "ok"))


def test_turns_that_say_something_are_states():
    np.testing.assert_array_equal(turn_states(SESSION), hashed(["fix it", "done"]))
    np.testing.assert_array_equal(turn_states(SESSION, roles=("tool",)), hashed(["ok"]))
    assert turn_states(session_of()).shape == (0, 256)
    assert anticipation(turn_states(session_of())).states == 0


def test_an_embedding_of_ones_own():
    found = turn_states(SESSION, lambda texts: [[len(text), 1] for text in texts])
    assert found.tolist() == [[6.0, 1.0], [4.0, 1.0]]
    with pytest.raises(InvalidTrace, match=r"shape \(1, 2\) for 2 texts"):
        turn_states(SESSION, lambda _: [[1, 2]])
    with pytest.raises(InvalidTrace, match="NaN or infinity"):
        turn_states(SESSION, lambda _: [[1.0], [np.inf]])
    with pytest.raises(InvalidTrace, match="no embeddings"):
        turn_states(SESSION, lambda _: "text")


def test_calls_are_states():
    events = (ToolEvent("Bash", {"command": "ls src"}, True), ToolEvent("Read", {"file_path": "a.py"}, False), ToolEvent("Glob"))
    np.testing.assert_array_equal(call_states(session_of(events=events)), hashed(["Bash ls src ok", "Read a.py failed", "Glob unknown"]))


# --- tokens


def windows_of(phi, entropy, surprisal, size):
    rows = []
    for start in range(0, len(phi), size):
        tokens = [t for t in zip(phi[start : start + size], entropy[start : start + size], surprisal[start : start + size], strict=True)]
        if 2 * len(tokens) < size:
            continue
        tokens = [token for token in tokens if all(map(math.isfinite, token))]
        if tokens:
            means = [sum(column) / len(tokens) for column in zip(*tokens, strict=True)]
            rows.append([*means, math.sqrt(sum((token[0] - means[0]) ** 2 for token in tokens) / len(tokens))])
    return rows


@pytest.mark.parametrize("size", [1, 4, 16])
def test_windows_of_records_are_states(size):
    numbers = np.random.default_rng(size)
    logits = (numbers.standard_normal((45, 50)) * numbers.uniform(0.2, 6, (45, 1))).astype(np.float32)
    mask = np.ones(45, dtype=bool)
    mask[20:38] = False
    records = get_backend("cpu").phi(logits, chosen=numbers.integers(0, 50, 45), mask=mask)
    want = windows_of(records.phi, records.entropy_bits * math.log(2), -records.chosen_logprob, size)
    np.testing.assert_allclose(token_states(records, size, scaled=False), want)
    scaled = token_states(records, size)
    spread = np.std(want, axis=0)
    np.testing.assert_allclose(scaled * spread + np.mean(want, axis=0), want, atol=1e-9)
    assert anticipation(scaled).tp_std is not None


def test_windows_of_a_trace_are_states():
    numbers = np.random.default_rng(3)
    phi = numbers.uniform(0, 1, 21)
    chances = np.concatenate([[0.0], numbers.uniform(0.01, 1, 20)])
    entropy = (1 - phi) * math.log(100)
    trace = CoherenceTrace(phi, entropy, chances, np.diff(phi), 100, 21)
    want = windows_of(phi, entropy, [50.0, *-np.log(chances[1:])], 5)
    assert len(want) == 4
    np.testing.assert_allclose(token_states(trace, 5, scaled=False), want)


def test_what_are_no_tokens():
    records = get_backend("cpu").phi(np.zeros((2, 3, 5), dtype=np.float32))
    with pytest.raises(InvalidTrace, match=r"shape \(2, 3\); give those of one sequence"):
        token_states(records)
    with pytest.raises(InvalidTrace, match="window is 0; give a whole number"):
        token_states(records[0], 0)


# --- fusion


def test_settled_is_monotone_in_both_senses():
    values = np.linspace(0, 2, 50)
    falling = [settled(value) for value in values]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] == 1
    np.testing.assert_allclose([settled(value, sign=1) for value in values], 1 - np.array(falling))
    assert settled(0.3, scale=0.3) == 0.5


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from((-1, 1)))
def test_fused_lies_between_both(total, alpha, sign):
    geometry = anticipation(np.random.default_rng(0).standard_normal((9, 4)))
    worth = settled(geometry.tp_std, sign=sign)
    found = fused(total, geometry, alpha, sign=sign)
    assert min(total, worth) - 1e-12 <= found <= max(total, worth) + 1e-12
    assert fused(total, geometry, 1.0) == pytest.approx(total)
    assert fused(total, geometry, 0.0, sign=sign) == pytest.approx(worth)


@pytest.mark.parametrize(("options", "text"), [({"alpha": 1.5}, "alpha is 1.5"), ({"sign": 0}, "sign is 0"), ({"scale": 0.0}, "scale is 0.0")])
def test_fusion_refuses(options, text):
    with pytest.raises(ConfigError, match=text):
        fused(0.5, anticipation(np.eye(5)), **options)


def _ranks(values):
    return [sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2 for value in values]


def test_correlation_is_that_of_the_ranks():
    numbers = np.random.default_rng(7)
    rewards = [Reward(*numbers.integers(0, 6, 6) / 5) for _ in range(25)]
    geometries = [anticipation(numbers.standard_normal((1 + number % 11, 4))) for number in range(25)]
    table = correlation(rewards, geometries)
    assert [(row.signal, row.scalar) for row in table] == [(signal, scalar) for signal in ("total", *SIGNALS) for scalar in SCALARS]
    for row in table:
        pairs = [(getattr(r, row.signal), getattr(g, row.scalar)) for r, g in zip(rewards, geometries, strict=True) if g.states > 2]
        x, y = (np.array(_ranks(column)) for column in zip(*pairs, strict=True))
        assert row.sessions == len(pairs) < 25
        assert row.rho == pytest.approx(np.corrcoef(x, y)[0, 1])
        assert 0 <= row.p_value <= 1


def test_correlation_of_nothing_is_unknown():
    short = [anticipation([[1.0]])] * 3
    assert all(row.rho is None and row.sessions == 0 for row in correlation([Reward(*[0.5] * 6)] * 3, short))
    constant = correlation([Reward(*[0.5] * 6)] * 4, [anticipation(np.random.default_rng(n).standard_normal((6, 2))) for n in range(4)])
    assert all(row.rho is None and row.sessions == 4 for row in constant)
    with pytest.raises(ConfigError, match="1 rewards and 3 geometries"):
        correlation([Reward(*[0.5] * 6)], short)
