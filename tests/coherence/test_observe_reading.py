"""Logs as others write them, whole, broken and hostile: every usable number is read, every other line is counted."""

from __future__ import annotations

import json
import math
import os
import re
import time
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from observe_logs import run_of, write_log

from ebmhw.coherence import CoherenceTrace
from ebmhw.coherence.observe import run as run_module
from ebmhw.coherence.observe.diff import diff_of
from ebmhw.coherence.observe.health import health_of
from ebmhw.coherence.observe.lines import LINE_LIMIT, Lines
from ebmhw.coherence.observe.literal import mapping_of
from ebmhw.coherence.observe.problems import KINDS
from ebmhw.coherence.observe.reading import read_run
from ebmhw.coherence.observe.run import Run
from ebmhw.coherence.observe.schema import ALIASES, RANGES, series_of
from ebmhw.coherence.observe.trend import trend_of
from ebmhw.coherence.observe.view import view_of
from ebmhw.errors import InvalidFile, ValidationError

KEYS = [key for keys in ALIASES.values() for key in keys if key not in ("time", "timestamp", "n_tokens", "gate/passed")]
NUMBERS = st.one_of(st.floats(-1e6, 1e6), st.integers(-1000, 1000), st.floats(0, 1).map(repr))
ODD = st.sampled_from([None, float("nan"), float("inf"), "x", "", [], {"a": 1}, True, 10**400])
RECORDS = st.fixed_dictionaries({"step": st.integers(0, 12)}, optional={key: st.one_of(NUMBERS, ODD) for key in KEYS[:12]})
BROKEN = st.sampled_from([b"{", b"[1, 2]", b"3", b'"x"', b"{'a': ", b"\xff\xfe{}", b'{"step": 1, "reward": 0.5', b"\x00\x00", b"null", b"loss 0.3"])


def finite(value: Any, name: str = "") -> float | None:
    """Return what a value of a log means as one of a series, written anew."""
    if isinstance(value, (list, dict, bool)) or value is None:
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    low, high = RANGES.get(name, (-math.inf, math.inf))
    return number if abs(number) <= 1e100 and low - 2**-10 <= number <= high + 2**-10 else None


@given(st.lists(st.one_of(RECORDS, BROKEN), max_size=40))
def test_every_usable_number_is_read_and_every_other_line_counted(tmp_path_factory: pytest.TempPathFactory, content: list[Any]) -> None:
    path = tmp_path_factory.mktemp("log") / "a.jsonl"
    path.write_bytes(b"".join((part if isinstance(part, bytes) else json.dumps(part).encode()) + b"\n" for part in content))
    expected: dict[str, dict[int, float | None]] = {}
    steps: set[int] = set()
    counts: Counter[str] = Counter()
    last = None
    for part in content:
        if isinstance(part, bytes):
            counts["broken"] += 1
            continue
        found = {}
        for name, keys in ALIASES.items():
            key = next((key for key in keys if key in part), None)
            if key is not None:
                found[name] = finite(part[key], name)
        if not found:
            counts["foreign"] += 1
            continue
        steps.add(part["step"])
        counts["restart"] += last is not None and part["step"] < last
        last = part["step"]
        for name, value in found.items():
            expected.setdefault(name, {})[last] = value
    if last is None:
        with pytest.raises(InvalidFile, match="no line holds a figure of a training step"):
            read_run(path)
        return
    run = read_run(path)
    assert run.steps.tolist() == sorted(step for step in steps if step <= last)
    for name, values in expected.items():
        known = {step: value for step, value in values.items() if value is not None and step <= last}
        series = run.series(name)
        assert dict(zip(series.steps.tolist(), series.values.tolist(), strict=True)) == pytest.approx(known, rel=1e-15)
        assert np.isfinite(series.values).all()
    for kind in ("broken", "foreign", "restart"):
        assert run.problems.counts[kind] == counts[kind]


def test_keys_of_trl_and_of_the_peer_are_read() -> None:
    """The peer's reader knows `phi` and `phi_mean`, not what TRL's callback of the same package writes; and its entropy is std(phi)."""
    run = Run("r")
    run.add({"step": 1, "trace/phi_mean": 0.4, "entropy": 2.5, "frac_reward_zero_std": 0.25, "rewards/task/mean": 0.5, "rewards/task/std": 0.1})
    run.add({"global_step": 2, "phi": 0.5, "train_loss": 0.3, "mean_reward": 0.2, "reward_tool": 0.7, "reward_std": 0.1})
    run.add({"step": 3, "crystal/phi_mean": 0.6, "coherence/phi_mean": 0.7, "eval_reward": 0.9, "eval_rewards/task/mean": 0.8})
    assert run.series("phi").values.tolist() == [0.4, 0.5, 0.7]
    assert run.latest("entropy") == 2.5
    assert run.reward_functions == ("task", "tool")
    assert (run.latest("reward/tool"), run.latest("reward_std"), run.latest("zero_std")) == (0.7, 0.1, 0.25)
    assert (run.latest("eval/reward"), run.latest("eval/reward/task")) == (0.9, 0.8)
    assert run.latest("loss") == 0.3 and not run.problems.counts


def test_phi_follows_from_the_entropy_where_the_vocabulary_is_known() -> None:
    run = Run("r", vocab_size=49152)
    run.add({"step": 1, "entropy": 1.25})
    run.add({"step": 2, "entropy": 1.25, "phi": 0.1})
    run.add({"step": 3, "entropy": 20.0})
    assert run.series("phi").values.tolist() == [1 - 1.25 / math.log(49152), 0.1]
    assert run.problems.places["no-number"] == ["-: phi: an entropy of 20 nats is not one over 49152 entries"]
    with pytest.raises(ValidationError, match=r"vocab_size of a run is 1; phi = 1 - H / ln V needs 2 entries or more"):
        Run("r", vocab_size=1)


def test_lines_that_transformers_printed_are_read_and_never_evaluated(tmp_path: Path) -> None:
    path = tmp_path / "out.log"
    trap = tmp_path / "trap"
    path.write_text(
        "{'loss': 0.5, 'grad_norm': nan, 'learning_rate': np.float64(1e-05), 'reward': tensor(0.25, device='cpu'), 'epoch': 0.1}\n"
        "  7%|7  | 7/100 [00:01<00:20]{'loss': '0.4', 'rewards/f/mean': -0.5, 'reward': None}\n"
        f"{{'loss': __import__('pathlib').Path({str(trap)!r}).touch(), 'reward': 0.5}}\n"
        f"{{'loss': 1, 'x': [1, {{'y': (2, 'a]')}}], 'reward': open({str(trap)!r}, 'w')}}\n"
        "{'train_runtime': 3.5, 'train_loss': 9.0}\n"
    )
    run = read_run(path)
    assert not trap.exists()
    assert run.series("loss").values.tolist() == [0.5, 0.4, 1.0]
    assert run.latest("learning_rate") == 1e-5 and run.series("reward/f").values.tolist() == [-0.5]
    assert run.summary == {"train_runtime": 3.5, "train_loss": 9.0}
    assert run.problems.counts == {"not-finite": 1, "no-step": 3, "broken": 1}
    assert run.series("reward").values.tolist() == [0.25]


@given(st.text(st.sampled_from("{}[]()'\":,\\ naif.1x\t"), max_size=60))
def test_the_scanner_ends_on_anything(text: str) -> None:
    found = mapping_of("{'" + text)
    assert found is None or isinstance(found, dict)


@given(
    st.dictionaries(
        st.text('abc/_ {}[](),:"1', max_size=8),
        st.floats() | st.integers() | st.none() | st.booleans(),
        max_size=6,
    )
)
def test_mappings_as_python_prints_them_are_read_back(record: dict[str, Any]) -> None:
    found = mapping_of(repr(record))
    if not record:
        assert found is None
        return
    assert found is not None and list(found) == list(record)
    for key, value in record.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            assert float(found[key]) == pytest.approx(float(value), nan_ok=True, rel=1e-15)
        else:
            assert found[key] is value


def test_hostile_lines_are_counted_in_bounded_time_and_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    deep, long = b"[" * 200_000, b'{"step": 1, "x": "' + b"a" * (LINE_LIMIT + 10) + b'"}'
    literal = b"{'a': " + b"(" * 50_000
    quotes = b"{'a'" * 10_000
    number = b'{"step": 1, "reward": ' + b"9" * 6000 + b"}"
    good = b'{"step": 2, "reward": 0.5}'
    path.write_bytes(b"\n".join([deep, b'{"a":' * 100_000, long, literal, quotes, number, b'{"step": 3, "reward": "\x00"}', b"\x80abc", good, b""]))
    begun = time.monotonic()
    tracemalloc.start()
    run = read_run(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.monotonic() - begun < 5 and peak < 6 * LINE_LIMIT
    assert run.problems.counts == {"broken": 7, "too-long": 1}
    assert run.problems.places["too-long"] == [f"{path}:3"]
    assert run.series("reward").values.tolist() == [0.5]


@given(st.lists(st.binary(max_size=20).map(lambda part: part.replace(b"\n", b"")), max_size=8), st.data())
def test_lines_do_not_depend_on_how_they_arrive(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"\n".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    lines, found = Lines(), []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        found += list(lines.feed(whole[start:end]))
    rest = lines.rest()
    found += [rest] if rest else []
    expected = list(enumerate(whole.split(b"\n"), 1))
    assert [tuple(line) for line in found] == (expected if expected[-1][1] else expected[:-1])


def test_a_line_that_grows_byte_by_byte_takes_linear_time() -> None:
    lines = Lines()
    begun = time.monotonic()
    for _ in range(200_000):
        assert not list(lines.feed(b"x"))
    assert time.monotonic() - begun < 5
    assert next(lines.feed(b"\n")).content == b"x" * 200_000


def test_a_cut_last_line_is_no_broken_one(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"step": 1, "reward": 0.5}\n{"step": 2, "rew')
    run = read_run(path)
    assert run.problems.counts == {"cut": 1} and run.problems.told()[0].startswith("1 last lines that are not whole")
    path.write_text('{"step": 1, "reward": 0.5}\n{"step": 2, "reward": 0.75}')
    assert read_run(path).series("reward").values.tolist() == [0.5, 0.75]


def test_after_a_restart_later_values_count_and_older_steps_wait() -> None:
    run = run_of(reward=[float(step) for step in range(10)])
    run.add({"step": 4, "reward": 40}, "log:11")
    assert run.steps.tolist() == [0, 1, 2, 3, 4] and run.latest("reward") == 40
    run.add({"step": 5, "reward": 50}, "log:12")
    assert run.series("reward").values.tolist() == [0, 1, 2, 3, 40, 50]
    assert run.problems.places["restart"] == ["log:11: step 4 after 9"] and run.problems.counts["repeated"] == 2
    run.add({"step": 9, "loss": 1.0})
    assert run.series("reward").values.tolist() == [0, 1, 2, 3, 40, 50, 6, 7, 8, 9]


@pytest.mark.parametrize("step", [-1, 1.5, "x", float("nan"), 2**60, [1], True])
def test_steps_that_are_none_are_counted_by_place(step: Any) -> None:
    run = Run("r")
    assert not run.add({"step": step, "reward": 1}, "log:7")
    assert run.problems.counts["bad-step"] == 1 and run.problems.places["bad-step"][0].startswith("log:7: step is ")


def test_records_without_steps_count_on_and_evaluations_belong_to_the_step_before() -> None:
    run = Run("r")
    for record in ({"loss": 1}, {"loss": 2}, {"eval_loss": 3}, {"loss": 4}):
        run.add(record)
    assert run.series("loss").steps.tolist() == [0, 1, 2] and run.series("eval/loss").steps.tolist() == [1]


def test_traces_of_a_step_are_averaged(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    made = [(step, CoherenceTrace.from_entropy(rng.uniform(0, 5, 30), -rng.uniform(0, 3, 30), 500, step, i)) for step in range(3) for i in range(4)]
    path = write_log(tmp_path / "traces.jsonl", [trace.to_dict() for _, trace in made])
    run = read_run(tmp_path)
    assert run.name == tmp_path.name and path.exists()
    for step in range(3):
        traces = [trace for at, trace in made if at == step]
        assert run.series("phi").values[step] == pytest.approx(np.mean([trace.phi_mean for trace in traces]))
        assert run.series("crystallizations").values[step] == pytest.approx(np.mean([100 * trace.n_crystallizations / 30 for trace in traces]))
        assert run.series("defect_density").values[step] == pytest.approx(np.mean([trace.defect_density for trace in traces]))
    assert not run.problems.counts


def test_folders_and_states_of_trainers_are_read(tmp_path: Path) -> None:
    history = [{"step": step, "reward": step / 10, "epoch": 0.1} for step in range(5)] + [{"step": 4, "train_runtime": 9.0}, "x"]
    for number in (9, 50, 100):
        folder = tmp_path / f"checkpoint-{number}"
        folder.mkdir()
        kept = history if number == 100 else history[:1]
        (folder / "trainer_state.json").write_text(json.dumps({"log_history": kept, "global_step": 4}, indent=1))
    run = read_run(tmp_path)
    assert run.name == tmp_path.name and len(run) == 5 and run.summary["train_runtime"] == 9 and run.problems.counts == {"broken": 1}
    write_log(tmp_path / "log.jsonl", [{"step": 1, "reward": 1}])
    assert len(read_run(tmp_path)) == 1
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps(history))
    assert read_run(listed).name == "list" and len(read_run(listed)) == 5
    listed.write_text('{"step": 1, "reward": 1}\n{"step": 2, "reward": 1}\n')
    assert len(read_run(listed)) == 2


def test_the_gate_of_a_finished_run_is_part_of_it(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl", [{"step": step, "reward": step / 10} for step in range(9)])
    gate = tmp_path / "gate.json"
    for passed in (True, False):
        gate.write_text(json.dumps({"passed": passed, "reasons": ["x"]}, indent=1))
        assert read_run(tmp_path).latest("gate_passed") == passed
    gate.write_text("{")
    assert read_run(tmp_path).problems.counts == {"broken": 1}
    gate.write_text('{"passed": false}')
    os.utime(log, (time.time() + 9, time.time() + 9))
    assert read_run(tmp_path).latest("gate_passed") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\n\n  \n", "it is empty"),
        (b"hello\nworld\n", "2 lines that hold no record"),
        (b'{"a": 1}\n', "1 records without any known key"),
        (b'{"reward": 1, "step": -3}\n', "1 records whose step is no whole number"),
        (b'{"step": 1, "rew', "1 last lines that are not whole"),
    ],
)
def test_a_log_without_any_figure_is_refused_with_what_was_looked_for(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(InvalidFile, match=f"a.jsonl: no line holds a figure of a training step .*{said}.*coherence/phi_mean"):
        read_run(path)


def test_what_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"x\.jsonl: there is no such file"):
        read_run(tmp_path / "x.jsonl")
    with pytest.raises(InvalidFile, match=r"the folder has none of log\.jsonl, trainer_state\.json"):
        read_run(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidFile, match=r"pipe: this is no regular file"):
        read_run(tmp_path / "pipe")
    half = tmp_path / "trainer_state.json"
    half.write_text('{\n "log_history": [{"step"')
    with pytest.raises(InvalidFile, match="not whole"):
        read_run(half)


def test_long_runs_stay_within_their_limit_and_keep_what_is_recent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "ROWS_LIMIT", 1000)
    run = Run("r")
    for step in range(20_000):
        run.add({"step": step, "reward": float(step)})
    steps, values = run.series("reward")
    assert len(steps) <= 1000 and np.array_equal(steps, values)
    assert steps[0] == 0 and steps[-300:].tolist() == list(range(19_700, 20_000)) and run.problems.counts["thinned"] > 10
    run.add({"step": 19_999, "reward": -1.0})
    assert run.latest("reward") == -1 and len(run) == len(steps)


def test_series_are_limited_too() -> None:
    run = Run("r")
    for i in range(400):
        run.add({"step": i, f"rewards/{i}/mean": 1.0})
    assert len(run.names) == run_module.SERIES_LIMIT and run.problems.counts["too-many-series"] == 400 - run_module.SERIES_LIMIT
    assert series_of({f"rewards/{'x' * 500}/mean": 1, 3: 4}) == {}
    assert set(run.problems.counts) <= set(KINDS)


def test_a_run_tells_itself_in_one_line() -> None:
    run = run_of(reward=[0.5, 0.6, None], kl=[0.1, 0.1, 0.1])
    run.add({"step": 3, "reward": float("nan")})
    assert repr(run) == "Run('run': 4 steps (0 to 3), 2 series, 1 problem in the log)" and repr(Run("x")).startswith("Run('x': 0 steps, 0 series")
    run.name = "a\nb"
    assert "\n" not in repr(run)


def test_problems_name_a_path_where_it_changes_only() -> None:
    run = Run("r")
    for place in ("/a/log:3", "/a/log:4", "/b/log:5"):
        run.add({"step": -1, "reward": 1}, place)
    run.problems.add("rotated", "/b/log")
    run.problems.add("broken", "/c:log_history[2]")
    broken, steps, rotated = run.problems.told()
    assert broken.endswith("(/c, log_history[2])") and rotated == f"1 {KINDS['rotated']}"
    assert steps.endswith("(/a/log, line 3: step is -1; line 4: step is -1; /b/log, line 5: step is -1)")
    assert all("/c" not in line for line in run.problems.told("/c"))


def test_what_lies_beside_a_log_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    write_log(tmp_path / "log.jsonl", [{"step": step, "reward": step / 10} for step in range(9)])
    config = tmp_path / "config.yaml"
    for text, planned, counts in (("steps: 8", 8, {}), ("steps: x", None, {}), ("- 1", None, {}), ("steps: [", None, {"broken": 1})):
        config.write_text(text)
        run = read_run(tmp_path)
        assert run.planned_steps == planned and run.finished == (planned == 8) and run.problems.counts == counts
    config.unlink()
    for decision in ({"passed": "yes"}, {"reasons": [1]}, {"passed": None}):
        (tmp_path / "gate.json").write_text(json.dumps(decision))
        assert read_run(tmp_path).gate_passed is None
    (tmp_path / "gate.json").write_text(json.dumps({"passed": False, "reasons": ["x" * 10_000, 7, *range(99)]}))
    run = read_run(tmp_path)
    assert run.gate_passed is False and run.finished and len(run.gate_reasons) == 8 and len(run.gate_reasons[0]) == 300


HUGE = [{"step": step, "reward": 1e308, "coherence/phi_mean": 1e308, "loss": 1e308 * (-1) ** step, "kl": 9e99 * (-1) ** step} for step in range(60)]


def test_numbers_that_no_run_has_are_unknown_and_every_figure_of_the_others_is_finite() -> None:
    run, other = Run("a"), Run("b")
    for record in HUGE:
        run.add(record)
        other.add({**record, "kl": -record["kl"]})
    assert run.names == ("kl",)
    assert run.problems.counts == {"not-finite": 3 * len(HUGE)}
    trend = trend_of(run.series("kl").values)
    assert trend is not None and all(map(math.isfinite, trend))
    (difference,) = diff_of(run, other).differences
    assert difference.difference is not None and difference.interval is not None
    assert all(map(math.isfinite, (*difference.means, difference.difference, *difference.interval)))
    assert not re.search(r"\b(nan|inf)\b", view_of(run))
    assert health_of(run).level == "RED"  # the loss is not finite


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        *[("coherence/phi_mean", value, wrong) for value, wrong in ((0.0, -0.01), (1.0, 1.01), (1.0005, 40))],
        *[("coherence/diversity", 1, 2), ("frac_reward_zero_std", 0.5, -1), ("reward_std", 7, -1), ("entropy", 12.5, -0.5), ("grad_norm", 1e9, -3)],
        ("eval_phi_mean", 0.5, 1.5),
    ],
)
def test_values_that_a_series_cannot_have_are_unknown(key: str, good: float, bad: float) -> None:
    run = Run("a")
    for step, value in enumerate((good, bad, good)):
        assert run.add({"step": step, key: value}, f"log.jsonl:{step + 1}")
    assert [run.series(name).steps.tolist() for name in run.names] == [[0, 2]]
    assert run.problems.counts == {"out-of-range": 1} and "log.jsonl:2" in run.problems.places["out-of-range"][0]
