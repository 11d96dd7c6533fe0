"""Traces against a float64 model of their definitions, and against everything that a trace is not."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import trace_judge as judge
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.backends import get_backend
from ebmhw.coherence import CoherenceTrace
from ebmhw.errors import EbmhwError, InvalidTrace

BACKEND = get_backend("cpu", threads=1)


def plain(array: np.ndarray) -> list[float | None]:
    return [None if v != v else v for v in array.tolist()]


def same(ours: float | None, judged: float | None, tolerance: float = 1e-12) -> None:
    assert (ours is None) == (judged is None), (ours, judged)
    assert ours is None or judged is None or ours == pytest.approx(judged, rel=1e-9, abs=tolerance)


@st.composite
def completions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, float | None]:
    """Logits (T, V) in some format, with masked, broken and far-off rows; tokens, some unknown; phi before, or none."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    tokens = draw(st.sampled_from([0, 1, 2, 3, 5, 8, 17, 31, 64, 65, 130]))
    size = draw(st.sampled_from([2, 3, 7, 33, 257]))
    logits = rng.normal(0, rng.choice([0.1, 2.0, 8.0], (tokens, 1)), (tokens, size))
    for kind, chance in (("masked", 0.1), ("none", 0.1), ("nan", 0.1), ("inf", 0.1), ("far", 0.05)):
        for t in np.flatnonzero(rng.random(tokens) < chance):
            if kind == "masked":
                logits[t, rng.random(size) < 0.5] = -np.inf
            elif kind == "none":
                logits[t] = rng.choice([-np.inf, np.nan, np.inf])
            elif kind == "far":
                logits[t] += rng.choice([5000.0, -5000.0])
            else:
                logits[t, rng.integers(size)] = np.nan if kind == "nan" else np.inf
    logits = logits.astype(draw(st.sampled_from([np.float16, np.float32, np.float64])))
    ids = np.where(rng.random(tokens) < 0.2, -100, rng.integers(0, size, tokens))
    return logits, ids, draw(st.one_of(st.none(), st.floats(0, 1)))


@settings(max_examples=150)
@given(completions())
def test_a_trace_of_logits_is_that_of_the_definitions(case: tuple[np.ndarray, np.ndarray, float | None]) -> None:
    logits, ids, before = case
    trace = CoherenceTrace.from_logits(logits, ids, 7, 3, before, backend=BACKEND)
    assert (trace.n_tokens, trace.vocab_size, trace.step, trace.sample_idx) == (len(logits), logits.shape[1], 7, 3)
    values = logits.astype(np.float32).astype(np.float64).tolist()
    for t, one in enumerate(values):
        phi, entropy, p = judge.row(one)
        ours = plain(trace.phi)[t], plain(trace.entropy)[t], plain(trace.selected_prob)[t]
        same(ours[0], phi, 2**-12)
        same(ours[1], entropy, 0.0008)
        if phi is None or ids[t] == -100 or not math.isfinite(one[ids[t]]):
            assert ours[2] is None
        else:
            assert ours[2] == pytest.approx(p[ids[t]], rel=0.0015, abs=1e-15)
    # Thresholds cut between phi and phi, so what follows from phi is judged on the trace's own.
    phi, entropy, prob = plain(trace.phi), plain(trace.entropy), plain(trace.selected_prob)
    pairs = judge.changes(phi, before)
    assert len(trace.delta_phi) == (len(pairs) if phi else 0)
    if phi:
        assert plain(trace.delta_phi) == [change for _, change in pairs]
        same(trace.discontinuity_score, judge.score(pairs))
    ups, downs = (sum(c is not None and sign * c > 0.03 for _, c in pairs) if phi else 0 for sign in (1, -1))
    assert (trace.n_crystallizations, trace.n_meltings, trace.n_defects) == (ups, downs, ups + downs)
    assert trace.defect_density == (ups + downs) / max(len(phi), 1)
    same(trace.phi_mean, judge.mean(phi))
    same(trace.phi_std, judge.std(phi))
    same(trace.entropy_mean, judge.mean(entropy))
    same(trace.entropy_std, judge.std(entropy))
    surprisal = [None if p is None else -math.log(max(p, 5e-324)) for p in prob]
    same(trace.surprisal_mean, judge.mean(surprisal))
    same(trace.surprisal_std, judge.std(surprisal))
    cloud, steady = judge.mean(judge.times(prob, phi)), judge.multiscale(judge.scales(phi))
    same(trace.cloud_quality, cloud)
    assert trace.scale_coherence == pytest.approx(judge.scales(phi))
    same(trace.multiscale_coherence, steady)
    same(trace.kuramoto_R(), judge.kuramoto(phi))
    reward = None if cloud is None or steady is None else 0.5 * steady + 0.3 * cloud + 0.2 * (judge.score(pairs) if phi else 0.5)
    same(trace.carl_reward(), reward)


@settings(max_examples=60)
@given(completions())
def test_a_trace_and_its_snapshot_survive_json(case: tuple[np.ndarray, np.ndarray, float | None]) -> None:
    logits, ids, before = case
    trace = CoherenceTrace.from_logits(logits, ids, prev_phi=before, backend=BACKEND)
    text = json.dumps(trace.to_dict(), allow_nan=False)
    again = CoherenceTrace.from_dict(json.loads(text))
    assert again == trace and json.dumps(again.to_dict(), allow_nan=False) == text
    assert set(trace.to_dict(include_arrays=False)) < set(trace.to_dict())
    assert "nan" not in repr(trace)


def test_fault_1_entropy_has_no_bias_of_1e_10_an_entry() -> None:
    size = 131_072
    uniform = CoherenceTrace.from_logits(np.zeros((1, size), dtype=np.float32), [5], backend=BACKEND)
    assert uniform.phi[0] <= 2**-19 and uniform.entropy[0] == pytest.approx(math.log(size), abs=1e-5)
    # -sum p ln(p + 1e-10) is below the entropy by V 1e-10 and falls below 0 for a certain row: phi above 1.
    certain = np.full((1, size), -np.inf, dtype=np.float32)
    certain[0, 5] = 0
    trace = CoherenceTrace.from_logits(certain, [5], backend=BACKEND)
    assert 1 - 2**-18 <= trace.phi[0] <= 1 and trace.entropy[0] >= 0 and trace.selected_prob[0] == 1


@pytest.mark.parametrize("form", ["float16", "bfloat16"])
def test_fault_1_short_formats_give_no_nan(form: str) -> None:
    import ml_dtypes

    logits = np.random.default_rng(1).normal(0, 6, (40, 50_000)).astype(ml_dtypes.bfloat16 if form == "bfloat16" else form)
    trace = CoherenceTrace.from_logits(logits, [3] * 40, backend=BACKEND)
    wide = CoherenceTrace.from_logits(logits.astype(np.float64), [3] * 40, backend=BACKEND)
    assert not np.isnan(trace.phi).any() and trace == wide
    phi, _, _ = judge.row(logits[0].astype(np.float64).tolist())
    assert phi is not None and trace.phi[0] == pytest.approx(phi, abs=2**-12)


@pytest.mark.parametrize("broken", [-np.inf, np.nan, np.inf])
def test_fault_1_one_broken_row_does_not_poison_means(broken: float) -> None:
    logits = np.random.default_rng(2).normal(0, 4, (9, 30))
    ids = np.arange(9)
    kept = np.delete(np.arange(9), 4)
    whole = CoherenceTrace.from_logits(logits[kept], ids[kept], backend=BACKEND)
    logits[4] = broken
    trace = CoherenceTrace.from_logits(logits, ids, backend=BACKEND)
    assert np.isnan(trace.phi[4]) and np.isnan(trace.delta_phi[3:5]).all()
    for name in ("phi_mean", "phi_std", "entropy_mean", "entropy_std", "surprisal_mean", "surprisal_std", "cloud_quality"):
        assert getattr(trace, name) == pytest.approx(getattr(whole, name)), name
    assert trace.carl_reward() is not None and trace.sparkline()[4] == "?" and "?" in trace.defect_map()


def test_one_broken_entry_is_left_out_of_its_row() -> None:
    logits = np.random.default_rng(3).normal(0, 4, (3, 30))
    masked = logits.copy()
    masked[1, 7] = -np.inf
    for broken in (np.nan, np.inf):
        logits[1, 7] = broken
        trace = CoherenceTrace.from_logits(logits, [1, 7, 2], backend=BACKEND)
        assert np.array_equal(trace.phi, CoherenceTrace.from_logits(masked, [1, 8, 2], backend=BACKEND).phi)
        assert np.isnan(trace.selected_prob[1])  # of a token that no probability is known of


def test_fault_1_a_vocabulary_of_1_is_refused() -> None:
    with pytest.raises(EbmhwError, match=r"have 1 entries a row, 2 to \d+ are measured"):
        CoherenceTrace.from_logits(np.zeros((3, 1)), [0, 0, 0], backend=BACKEND)
    with pytest.raises(InvalidTrace, match=r"vocab_size is 1; .* needs 2 entries or more"):
        CoherenceTrace.from_entropy([0.0], [0.0], 1)


def test_fault_1_minus_100_is_no_token_and_other_ids_out_of_range_are_refused() -> None:
    logits = np.random.default_rng(4).normal(0, 4, (3, 30))
    trace = CoherenceTrace.from_logits(logits, [29, -100, 0], backend=BACKEND)
    assert np.isnan(trace.selected_prob).tolist() == [False, True, False] and not np.isnan(trace.phi).any()
    assert trace.token_ids is not None and trace.token_ids.tolist() == [29, -100, 0]
    for wrong in (-1, -99, -101, 30, 2**40):
        with pytest.raises(EbmhwError, match=rf"of row 1 is {wrong}; give a token id from 0 to 29, or -100 for none"):
            CoherenceTrace.from_logits(logits, [29, wrong, 0], backend=BACKEND)
    assert CoherenceTrace.from_logits(logits, None, backend=BACKEND).token_ids is None


def test_fault_2_with_a_previous_phi_the_discontinuity_reads_the_earlier_side() -> None:
    # Up from .2 (a commitment, .8), up from .6 (.3), down from .9 (a loss, .2), down from .5 (.5).
    phi = np.array([0.6, 0.9, 0.5, 0.1])
    size = 100
    trace = CoherenceTrace.from_entropy((1 - phi) * math.log(size), np.full(4, -1.0), size, prev_phi=0.2)
    assert trace.earlier_phi == pytest.approx([0.2, 0.6, 0.9, 0.5]) and len(trace.delta_phi) == 4
    assert trace.discontinuity_score == pytest.approx((0.8 + 0.3 + 0.2 + 0.5) / 4)
    # Read at the later side, as carl-core 0.2.0 does, the scores are .3, .3, .5 and .5.
    assert trace.discontinuity_score != pytest.approx((0.3 + 0.3 + 0.5 + 0.5) / 4)


@pytest.mark.parametrize("form", ["float16", "float32", "float64"])
def test_fault_7_one_pass_and_no_copy_of_the_logits(form: str) -> None:
    import tracemalloc

    logits = np.random.default_rng(5).standard_normal((128, 65_536), dtype=np.float32).astype(form)  # 16, 32 and 64 MiB
    ids = np.arange(128)
    CoherenceTrace.from_logits(logits[:2], ids[:2], backend=BACKEND)
    tracemalloc.start()
    try:
        CoherenceTrace.from_logits(logits, ids, backend=BACKEND)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # float64 is rounded to float32 a block of rows at a time.
    assert peak < (12 if form == "float64" else 1) * 2**20, peak


def test_tensors_of_pytorch_and_arrays_of_jax_give_the_same() -> None:
    logits, ids = np.random.default_rng(6).normal(0, 4, (12, 300)).astype(np.float32), np.arange(12)
    ours = CoherenceTrace.from_logits(logits, ids, backend=BACKEND)
    jax = pytest.importorskip("jax")
    assert CoherenceTrace.from_logits(jax.numpy.asarray(logits), jax.numpy.asarray(ids), backend=BACKEND) == ours
    short = CoherenceTrace.from_logits(jax.numpy.asarray(logits, dtype="bfloat16"), ids, backend=BACKEND)
    assert short.phi == pytest.approx(ours.phi, abs=0.02) and short != ours


@pytest.mark.slow
@pytest.mark.parametrize("form", ["float16", "bfloat16", "float32", "float64"])
def test_tensors_of_pytorch_give_the_same(form: str) -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    logits = torch.from_numpy(np.random.default_rng(6).normal(0, 4, (12, 300))).to(getattr(torch, form)).requires_grad_()
    ids = torch.arange(12)
    ours = CoherenceTrace.from_logits(logits.detach().double().numpy(), ids.numpy(), backend=BACKEND)
    assert CoherenceTrace.from_logits(logits, ids, backend=BACKEND) == ours
    given = CoherenceTrace.from_entropy(torch.tensor([0.5, 1.0]).to(getattr(torch, form)), torch.tensor([-1.0, -2.0], requires_grad=True), 300)
    assert given.entropy.tolist() == [0.5, 1.0]


def test_all_backends_give_the_same_trace() -> None:
    from cores import simulated

    rng = np.random.default_rng(7)
    logits, ids = rng.normal(0, 4, (3, 97)).astype(np.float16), rng.integers(0, 97, 3)
    logits[1, :5] = -np.inf
    ours = CoherenceTrace.from_logits(logits, ids, backend=BACKEND)
    assert CoherenceTrace.from_logits(logits, ids, backend="golden") == ours
    assert CoherenceTrace.from_logits(logits, ids, backend=simulated("small")) == ours


# --- from entropies


@settings(max_examples=60)
@given(st.data())
def test_from_entropy_is_from_logits_of_the_same(data: st.DataObject) -> None:
    tokens, size = data.draw(st.integers(0, 40)), data.draw(st.sampled_from([2, 50, 1000]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    judged = [judge.row(rng.normal(0, 5, size).tolist()) for _ in range(tokens)]
    logprobs = [math.log(max(p[0], 1e-300)) for _, _, p in judged]
    given: list[Any] = [None if rng.random() < 0.1 else entropy for _, entropy, _ in judged]
    trace = CoherenceTrace.from_entropy(given, logprobs, size)
    for t, (phi, _, p) in enumerate(judged):
        assert np.isnan(trace.phi[t]) if given[t] is None else trace.phi[t] == pytest.approx(phi, abs=1e-9)
        assert trace.selected_prob[t] == pytest.approx(p[0])


def test_entropies_that_are_none_are_refused() -> None:
    for entropy in ([-0.1], [math.log(50) + 0.1], [math.log2(50)], [math.inf]):
        with pytest.raises(InvalidTrace, match=r"entropy\[0\] is"):
            CoherenceTrace.from_entropy(entropy, [-1.0], 50)
    with pytest.raises(InvalidTrace, match=r"selected_logprobs\[0\] is 0.2; the logarithm of a probability is at most 0"):
        CoherenceTrace.from_entropy([1.0], [0.2], 50)
    with pytest.raises(InvalidTrace, match="selected_prob of a trace has 2 values, but phi has 1"):
        CoherenceTrace.from_entropy([1.0], [-1.0, -1.0], 50)


# --- measures of parts


def test_segments_positions_and_sharpness() -> None:
    phi = np.array([0.1, 0.9, np.nan, 0.3, 0.35, 0.8])
    trace = CoherenceTrace.of_fields(phi, (1 - phi) * math.log(9), np.full(6, 0.5), 9)
    assert trace.crystallization_positions().tolist() == [0, 3, 4] and trace.melting_positions().tolist() == []
    assert trace.transition_sharpness([0, 4]) == pytest.approx((0.8 + 0.45) / 2)
    assert trace.transition_sharpness([1]) is None and trace.transition_sharpness([]) is None and trace.transition_sharpness([99]) is None
    assert trace.segment_phi_means([]) == [trace.phi_mean]
    assert trace.segment_phi_means([0, 2, 3]) == [pytest.approx(0.5), None, pytest.approx(np.mean([0.3, 0.35, 0.8]))]
    assert trace.segment_phi_means(np.array([4, 99])) == [pytest.approx((0.35 + 0.8) / 2), None]
    assert trace.kuramoto_R_at([0, 0]) == pytest.approx(1) and trace.kuramoto_R_at([2, 3]) == 0
    for wrong in ([2, 1], [-1], [0.5], "ab", None, [10**30], [[1, 2], [3]]):
        with pytest.raises(InvalidTrace):
            trace.segment_phi_means(wrong)  # type: ignore[arg-type]
    for wrong in ([-1], [0.5], "ab", None, [[1]], [True], [10**30]):
        with pytest.raises(InvalidTrace, match="positions are"):
            trace.transition_sharpness(wrong)


def test_traces_cannot_be_changed() -> None:
    phi = np.array([0.1, 0.9])
    trace = CoherenceTrace.of_fields(phi, phi * 0, phi, 9, token_ids=np.array([1, 2]))
    for name in ("phi", "entropy", "selected_prob", "delta_phi", "token_ids"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(trace, name)[0] = 0
    phi[0] = 0.5
    assert trace.phi[0] == 0.1
    with pytest.raises(TypeError, match="unhashable"):
        hash(trace)


# --- everything else

ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.text(max_size=5), st.just(float("nan")), st.just(float("inf")), st.just(10**400), st.just(-(10**30)),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2), st.lists(st.text(max_size=2), max_size=3), st.just([[1.0], [1.0, 2.0]]),
    st.just(b"\x00"), st.just(object()), st.just(1j), st.just(np.array([1 + 2j])), st.just(np.zeros((2, 2))), st.just(np.array(["1", "2"])),
    st.lists(st.one_of(st.floats(), st.none(), st.just("1"), st.just(10**400)), max_size=4), st.integers(-3, 3), st.just(iter([1.0])),
    st.just(np.array(["2020-01-01"], dtype="M8[D]")), st.just(np.ma.masked_array([0.1, 0.2], [True, False])), st.just({1, 2}),
)  # fmt: skip


def refuses_or_makes(make: Any) -> None:
    """Nothing but typed errors, and no NaN in a mean."""
    try:
        trace = make()
    except EbmhwError as error:
        assert str(error) and len(str(error)) < 1000
        return
    assert "NaN" not in json.dumps(trace.to_dict(), allow_nan=False)
    for name in ("phi_mean", "entropy_mean", "surprisal_mean", "cloud_quality", "multiscale_coherence", "discontinuity_score"):
        value = getattr(trace, name)
        assert value is None or math.isfinite(value)


@settings(max_examples=300)
@given(
    st.sampled_from(["phi", "entropy", "selected_prob", "delta_phi", "vocab_size", "n_tokens", "step", "sample_idx", "token_ids", "top_k_mass"]), ODD
)
def test_constructors_refuse_what_is_no_trace(name: str, odd: Any) -> None:
    good: dict[str, Any] = {
        "phi": [0.5, 0.6], "entropy": [1.0, 0.8], "selected_prob": [0.5, 0.5], "delta_phi": [0.1], "vocab_size": 50, "n_tokens": 2,
    }  # fmt: skip
    CoherenceTrace(**good)
    refuses_or_makes(lambda: CoherenceTrace(**good | {name: odd}))
    refuses_or_makes(lambda: CoherenceTrace.from_dict(good | {name: odd}))
    refuses_or_makes(lambda: CoherenceTrace.from_dict(odd))


@settings(max_examples=300)
@given(st.integers(0, 6), ODD)
def test_makers_refuse_what_is_no_argument(which: int, odd: Any) -> None:
    logits: list[Any] = [np.zeros((2, 5)), [1, 2], 0, 0, None]
    entropies: list[Any] = [[1.0, 0.5], [-1.0, -2.0], 5, 0, 0, None]
    if which < 5:
        refuses_or_makes(lambda: CoherenceTrace.from_logits(*logits[:which], odd, *logits[which + 1 :], backend=BACKEND))
    elif which == 5 and odd is not None:
        refuses_or_makes(lambda: CoherenceTrace.from_logits(*logits, backend=odd))
    if which < 6:
        refuses_or_makes(lambda: CoherenceTrace.from_entropy(*entropies[:which], odd, *entropies[which + 1 :]))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"phi": [0.5, 1.5]}, r"phi\[1\] of a trace is 1.5; give a number from 0 to 1, or None where it is unknown"),
        ({"phi": ["0.5", "0.6"]}, "phi: .* is no sequence of numbers"),
        ({"phi": [[0.5, 0.6]]}, r"phi has shape \(1, 2\); give \(T,\)"),
        ({"phi": [0.5, math.inf]}, r"phi\[1\] is infinite; give a finite number, or None where it is unknown"),
        ({"entropy": [1.0, 4.0]}, r"entropy\[1\] of a trace is 4.0; give a number from 0 to 3.91202"),
        ({"entropy": [1.0]}, "entropy of a trace has 1 values, but phi has 2"),
        ({"n_tokens": 3}, "n_tokens of a trace is 3, but phi has 2 values"),
        ({"delta_phi": [0.1, 0.1, 0.1]}, r"delta_phi of a trace has 3 values for 2 tokens; give T - 1, or T"),
        ({"delta_phi": [0.3]}, "says that phi changes by 0.3 from token 0 to token 1, but phi itself by 0.1"),
        ({"delta_phi": [0.9, 0.1]}, r"phi before delta_phi\[0\] of a trace is -0.4"),
        ({"vocab_size": 1}, "vocab_size of a trace is 1; .* needs 2 entries or more"),
        ({"vocab_size": 2.5}, "vocab_size of a trace is 2.5; give a whole number"),
        ({"step": "x"}, "step of a trace is 'x'; give a whole number"),
        ({"token_ids": [1, 50]}, r"token_ids\[1\] of a trace is 50; give an id from 0 to 49, or -100 where it is unknown"),
        ({"token_ids": [1.0, 2.0]}, "give whole numbers"),
    ],
)
def test_errors_say_what_is_wrong(change: dict[str, Any], text: str) -> None:
    good: dict[str, Any] = {
        "phi": [0.5, 0.6], "entropy": [1.0, 0.8], "selected_prob": [0.5, 0.5], "delta_phi": [0.1], "vocab_size": 50, "n_tokens": 2,
    }  # fmt: skip
    with pytest.raises(InvalidTrace, match=text):
        CoherenceTrace(**good | change)


def test_numbers_of_numpy_become_plain_ones() -> None:
    trace = CoherenceTrace(np.float32([0.5]), [1], [0.5], [], np.int64(50), np.int32(1), np.int16(3))  # type: ignore[arg-type]
    assert type(trace.vocab_size) is int and json.dumps(trace.to_dict()) and trace.phi.dtype == np.float64


# --- beside carl-core, which is no dependency


def test_where_carl_core_is_right_the_numbers_agree() -> None:
    peer = pytest.importorskip("carl_core.coherence_trace").CoherenceTrace
    rng = np.random.default_rng(8)
    for _ in range(20):
        tokens, size = int(rng.integers(1, 200)), int(rng.integers(2, 400))
        logits, ids = rng.normal(0, rng.uniform(0.5, 6), (tokens, size)), rng.integers(0, size, tokens)
        entropy = np.array([judge.row(one)[1] for one in logits.tolist()])
        logprob = np.log([max(judge.row(one)[2][i], 1e-9) for one, i in zip(logits.tolist(), ids, strict=True)])
        ours, theirs = CoherenceTrace.from_entropy(entropy, logprob, size), peer.from_entropy(entropy, logprob, size)
        for name in ("phi_mean", "phi_std", "cloud_quality", "multiscale_coherence", "discontinuity_score", "n_crystallizations", "n_meltings"):
            assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=1e-9), name
        assert ours.scale_coherence == pytest.approx(theirs.scale_coherence)
        assert ours.carl_reward() == pytest.approx(theirs.carl_reward(), abs=1e-9)
        assert ours.sparkline() == theirs.sparkline() and ours.defect_map() == theirs.defect_map()
        assert CoherenceTrace.from_dict(json.loads(json.dumps(theirs.to_dict()))).phi == pytest.approx(theirs.phi)
        measured = CoherenceTrace.from_logits(logits, ids, backend=BACKEND)
        assert measured.phi == pytest.approx(peer.from_logits(logits, ids).phi, abs=2**-11)


@pytest.mark.slow
def test_tensors_in_lists_of_a_graph_and_without_memory() -> None:
    torch = pytest.importorskip("torch")
    number = torch.tensor(0.5, requires_grad=True)
    trace = CoherenceTrace.from_entropy([number, number], [-number, -number], 10, prev_phi=number)
    assert trace == CoherenceTrace.from_entropy([0.5, 0.5], [-0.5, -0.5], 10, prev_phi=0.5)
    for bad in (torch.zeros(2, dtype=torch.complex64).conj(), torch.empty(2, device="meta"), [number, "x"]):
        with pytest.raises(InvalidTrace, match=r"entropy: .* is no sequence of numbers"):
            CoherenceTrace.from_entropy(bad, [-1.0, -1.0], 10)
