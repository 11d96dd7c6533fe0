"""What a run keeps: logs without doubled steps, checkpoints that are whole, and its own numbers; no torch is needed."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.coherence.constants import kuramoto_phase
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.coherence.training import RunConfig
from ebmhw.coherence.training.folder import STATE, RunFolder
from ebmhw.coherence.training.log import Log
from ebmhw.coherence.training.measures import measures, phase_of
from ebmhw.coherence.training.options import LoraOptions
from ebmhw.coherence.training.report import RunResult, summarised, window_of
from ebmhw.coherence.training.tap import Tap
from ebmhw.errors import ConfigError, InvalidFile, ValidationError
from ebmhw.stopping import Stop

VALUES = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=10) | st.lists(st.floats(), max_size=3)


def trace(phi: list[float], ids: list[int] | None = None, vocab: int = 100) -> CoherenceTrace:
    values = np.array(phi)
    tokens = None if ids is None else np.array(ids)
    return CoherenceTrace.of_fields(values, (1 - values) * np.log(vocab), np.full(len(phi), 0.5), vocab, token_ids=tokens)


# --- logs


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(["loss", "reward", "x/y", "ä"]), VALUES), max_size=12), st.integers(0, 14), st.binary(max_size=30))
def test_a_cut_log_has_the_steps_up_to_the_cut_once(tmp_path_factory, records, cut, torn):
    log = Log(tmp_path_factory.mktemp("l") / "log.jsonl")
    for step, record in enumerate(records, 1):
        log.append({"step": step, **record})
    written = list(log.records())
    for line in log.path.read_text(encoding="utf-8").splitlines() if records else []:
        json.loads(line, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    with open(log.path, "ab") as stream:
        stream.write(torn.replace(b"\n", b""))  # a killed process leaves part of a line
    log.cut_after(cut)
    kept = list(log.records())
    assert kept == written[:cut] and [record["step"] for record in kept] == list(range(1, min(cut, len(records)) + 1))
    log.append({"step": cut + 1})
    assert list(log.records())[-1] == {"step": cut + 1}


def test_numbers_that_are_none_become_null(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    log.append({"step": 1, "a": float("nan"), "b": np.float64("inf"), "c": np.arange(2), "d": {"e": (float("-inf"), 1)}})
    assert list(log.records()) == [{"step": 1, "a": None, "b": None, "c": [0, 1], "d": {"e": [None, 1]}}]
    log.path.write_text('{"step": 1}\n[2]\n')
    with pytest.raises(InvalidFile, match=r"log\.jsonl:2: this is no JSON object; resume the run"):
        list(log.records())
    assert Log(tmp_path / "none.jsonl").cut_after(3) == 0 and not list(Log(tmp_path / "none.jsonl").records())


# --- folders


def config(folder: Path, **given: Any) -> RunConfig:
    return RunConfig(output=str(folder), **given)


def checkpoint(folder: RunFolder, step: int, **state: Any) -> None:
    folder.checkpoint_path(step).mkdir()
    folder.seal(step, state, keep=2)


def test_a_folder_that_holds_a_run_is_refused_unless_told_otherwise(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    folder = RunFolder(tmp_path)
    folder.begin(config(tmp_path), overwrite=False)
    folder.log.append({"step": 1})
    checkpoint(folder, 1)
    folder.put_gate({"passed": True})
    with pytest.raises(ConfigError, match=r"holds a run already; --resume .* goes on with it, --overwrite .* removes it, or give another"):
        RunFolder(tmp_path).begin(config(tmp_path), overwrite=False)
    RunFolder(tmp_path).begin(config(tmp_path, steps=7), overwrite=True)
    assert {path.name for path in tmp_path.iterdir()} == {"mine.txt", "config.yaml"}
    assert RunConfig.from_yaml(folder.config_path).steps == 7
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be written: .*; give another folder"):
        RunFolder(tmp_path / "file" / "x").begin(config(tmp_path), overwrite=False)


def test_only_whole_checkpoints_count_and_the_last_ones_are_kept(tmp_path):
    folder = RunFolder(tmp_path)
    folder.begin(config(tmp_path), overwrite=False)
    for step in (2, 4, 10):
        checkpoint(folder, step, seen=step)
    folder.checkpoint_path(12).mkdir()  # killed before its state was written
    (folder.checkpoint_path(13)).mkdir()
    (folder.checkpoint_path(13) / STATE).write_text('{"seen":')
    assert [(one.step, one.state) for one in folder.checkpoints()] == [(4, {"seen": 4}), (10, {"seen": 10})]
    for step in range(1, 16):
        folder.log.append({"step": step})
    last = folder.resume(config(tmp_path))
    assert last is not None and last.step == 10
    assert [record["step"] for record in folder.log.records()] == list(range(1, 11))
    assert not folder.checkpoint_path(2).exists() and not folder.checkpoint_path(12).exists() and not folder.checkpoint_path(13).exists()


def test_a_run_without_checkpoint_is_resumed_from_its_start(tmp_path):
    folder = RunFolder(tmp_path)
    folder.begin(config(tmp_path), overwrite=False)
    folder.log.append({"step": 1})
    assert folder.resume(config(tmp_path)) is None and not list(folder.log.records())


def test_a_resumed_run_has_the_values_that_made_it(tmp_path):
    with pytest.raises(ConfigError, match="holds no run to resume"):
        RunFolder(tmp_path).resume(config(tmp_path))
    folder = RunFolder(tmp_path)
    folder.begin(config(tmp_path), overwrite=False)
    folder.resume(config(tmp_path, steps=99, keep=1, gate=None, time_limit=3.0, checkpoint_every=1))
    assert RunConfig.from_yaml(folder.config_path).steps == 99
    for changed in ({"seed": 1}, {"batch": 1}, {"lora": LoraOptions(rank=4)}, {"cascade": None}, {"learning_rate": 0.1}):
        with pytest.raises(
            ConfigError, match=rf"^{next(iter(changed))} is .*, but the run in .* has .*; a resumed run may change only output, steps"
        ):
            folder.resume(config(tmp_path, **changed))


def test_an_adapter_is_whole_or_the_earlier_one(tmp_path):
    def write(text: str) -> Any:
        def into(path: Path) -> None:
            for name in ("adapter_config.json", "adapter_model.safetensors"):
                (path / name).write_text(text)

        return into

    folder = RunFolder(tmp_path)
    folder.put_adapter(write("first"))

    def broken(path: Path) -> None:
        (path / "adapter_config.json").write_text("x")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        folder.put_adapter(broken)
    with pytest.raises(ValidationError, match=r"an adapter without adapter_config\.json and adapter_model\.safetensors was written"):
        folder.put_adapter(lambda path: None)
    assert (folder.adapter / "adapter_config.json").read_text() == "first"
    folder.put_adapter(write("second"))
    assert (folder.adapter / "adapter_config.json").read_text() == "second" and [path.name for path in tmp_path.iterdir()] == ["adapter"]


# --- measures


def test_measures_are_means_of_what_is_known():
    first, second = trace([0.2, 0.4, 0.6], [1, 2, 3]), trace([0.5, 0.5, np.nan], [1, 2, 4])
    found = measures([first, None, second, None], [[1, 2, 3], [7, 8], [1, 2, 4], []], group=2)
    assert found["coherence/phi_mean"] == pytest.approx((0.4 + 0.5) / 2)
    assert found["coherence/n_unknown"] == 2 + 1
    assert found["coherence/crystallizations"] == pytest.approx(100 * 2 / 6) and found["coherence/meltings"] == 0
    assert found["coherence/kuramoto_R"] == pytest.approx((first.kuramoto_R() + second.kuramoto_R()) / 2)
    assert phase_of(found) == kuramoto_phase(found["coherence/kuramoto_R"])
    assert found["coherence/dispersion"] is None  # three tokens say nothing
    json.dumps(found, allow_nan=False)


def test_diversity_is_that_within_a_group():
    same, other = [1, 2, 3, 4], [5, 6, 7, 8]
    assert measures([None] * 4, [same, same, other, other], group=2)["coherence/diversity"] == 0
    assert measures([None] * 4, [same, other, same, other], group=2)["coherence/diversity"] == pytest.approx(1)


def test_nothing_known_is_null():
    found = measures([None, None], [[], []])
    assert all(value is None for name, value in found.items() if name != "coherence/n_unknown") and found["coherence/n_unknown"] == 0
    assert phase_of(found) is None and phase_of({}) is None


# --- the tap


def test_the_tap_knows_the_latest_completions_and_asks_once():
    calls = []

    class Source:
        def traces_for(self, completion_ids: Any) -> list[CoherenceTrace | None]:
            calls.append([list(ids) for ids in completion_ids])
            return [trace([len(ids) / 10] * 3) for ids in completion_ids]

    def reward(completions: list[Any], **columns: Any) -> list[float | None]:
        return [float(len(columns["completion_ids"][i])) for i in range(len(completions))]

    tap = Tap(Source())
    noting = tap.first(reward)
    assert noting.__name__ == "reward"
    said = noting(completions=["x", [{"role": "assistant", "content": "y"}]], prompts=["p", "q"], completion_ids=[[1], [2, 3]])
    assert said == [1, 2] and tap.texts == ["x", "y"] and calls == [[[1], [2, 3]]]
    assert tap.traces_for([[1], [2, 3]]) == tap.traces == tap.last_traces
    assert tap.traces_for([[2, 3], [9]]) == [tap.traces[1], None] and len(calls) == 1


# --- stopping, and the end


def test_a_run_stops_by_time_and_not_before():
    assert Stop(None).reason(1e9) is None and Stop(100.0).reason(1.0) is None
    assert Stop(100.0).reason(200.0) == "time limit"
    brief = Stop(0.01)
    time.sleep(0.02)
    assert brief.reason() == "time limit"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_a_wish_and_the_second_ends(number):
    before = signal.getsignal(number)
    stop = Stop(None)
    try:
        signal.signal(number, signal.default_int_handler)
        with pytest.raises(KeyboardInterrupt), stop.listening():
            assert stop.reason() is None
            os.kill(os.getpid(), number)
            assert stop.reason() == "interrupted"
            os.kill(os.getpid(), number)
            time.sleep(1)
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)


def test_other_threads_get_no_signals():
    found = []

    def work() -> None:
        with Stop(None).listening():
            found.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [before]


@settings(max_examples=50)
@given(st.lists(st.none() | st.floats(-10, 10), min_size=1, max_size=40), st.integers(1, 12))
def test_a_summary_compares_both_ends(values, window):
    records = [{"step": i, "reward": value, "name": "x"} for i, value in enumerate(values)]
    found = summarised(records, window)
    count = max(1, min(window, len(values) // 2))
    assert window_of(len(values), window) == count
    ends = [[value for value in part if value is not None] for part in (values[:count], values[-count:])]
    if any(value is not None for value in values):
        assert found == {"reward": tuple(pytest.approx(sum(end) / len(end)) if end else None for end in ends)}
    else:
        assert found == {}


def test_a_result_is_json():
    told = RunResult(Path("o"), Path("o/a"), Path("l"), Path("t"), 3, "finished", 1.0, None, {"reward": (1.0, None)}, {"passed": False}).to_dict()
    assert json.loads(json.dumps(told))["summary"] == {"reward": [1.0, None]} and told["output"] == "o"
    assert told["notices"] == [] and told["cascade"] == "off"
