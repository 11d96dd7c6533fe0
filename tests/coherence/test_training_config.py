"""The configuration of a training run: what YAML says is what is meant, or is refused by file, key and value."""

from __future__ import annotations

import dataclasses
import os
import re
import string
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.coherence.gates.cascade import Cascade
from ebmhw.coherence.gates.rise import CALIBRATION
from ebmhw.coherence.tasks.file import EVAL_SHARE, lines_for
from ebmhw.coherence.training import RunConfig
from ebmhw.coherence.training.notices import FIRST_OPENING, notices
from ebmhw.coherence.training.options import CascadeOptions, CoherenceOptions, GateOptions, LoraOptions, ScheduleOptions
from ebmhw.coherence.training.schedule import envelope, factor, horizon_steps
from ebmhw.errors import ConfigError

NUMBERS = st.floats(1e-9, 0.9)
KEYS = st.fixed_dictionaries(
    {},
    optional={
        "model": st.text(string.printable, min_size=1, max_size=20).filter(str.strip),
        "output": st.sampled_from(["no", "on", "1e-5", "run: 1", "ä", "~", "null", "- x", "2024-01-01", "0x10"]),
        "steps": st.integers(1, 10**6),
        "seed": st.integers(0, 2**32 - 1),
        "learning_rate": NUMBERS,
        "temperature": NUMBERS,
        "rewards": st.dictionaries(st.sampled_from(["task_reward", "no", "x y"]), NUMBERS, min_size=1),
        "schedule": st.fixed_dictionaries({}, optional={"name": st.sampled_from(["linear", "resonance"]), "alpha": NUMBERS}),
        "lora": st.fixed_dictionaries({}, optional={"rank": st.integers(1, 64), "targets": st.lists(st.sampled_from(["q_proj", "no"]), min_size=1)}),
        "cascade": st.none() | st.fixed_dictionaries({}, optional={"start": st.none() | st.integers(0, 99)}),
        "gate": st.none() | st.fixed_dictionaries({}, optional={"discontinuity": st.sampled_from([[0.1, 0.9], [0.5, 0.5]])}),
        "task": st.sampled_from(["arithmetic", "x.jsonl", {"name": "arithmetic", "kinds": ["1+", "2-"]}]),
        "time_limit": st.none() | st.integers(1, 1000),
    },
)


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "run.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@settings(max_examples=40, deadline=None)
@given(KEYS)
def test_a_configuration_survives_yaml(tmp_path_factory, data):
    config = RunConfig.from_dict(data)
    for name, value in data.items():
        if not isinstance(value, dict) or name in ("rewards", "task"):
            assert getattr(config, name) == value
    path = write(tmp_path_factory.mktemp("c"), config.to_yaml())
    assert RunConfig.from_yaml(path) == config == RunConfig.from_dict(config.to_dict())
    assert yaml.safe_load(config.to_yaml()) == config.to_dict()


def test_what_is_left_out_has_its_default():
    config = RunConfig.from_dict({"lora": {"rank": 4}})
    assert config == dataclasses.replace(RunConfig(), lora=LoraOptions(rank=4))
    assert config.gate == GateOptions() and RunConfig.from_dict({"gate": None, "cascade": None}).gate is None


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("learning_rate: 1e-5", "learning_rate", 1e-5),  # a text for YAML 1.1
        ("learning_rate: 5E-3", "learning_rate", 5e-3),
        ("steps: 1e2", "steps", 100),
        ("steps: 100.0", "steps", 100),
        ("steps: 1_000", "steps", 1000),
        ("time_limit: 60", "time_limit", 60.0),
        ("output: 'no'", "output", "no"),
        ("threads: ~", "threads", None),
        ("seed: 0x10", "seed", 16),
    ],
)
def test_numbers_and_texts_as_yaml_writes_them(tmp_path, text, key, value):
    assert getattr(RunConfig.from_yaml(write(tmp_path, text)), key) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("output: no", "output is False; give the path of a folder; YAML reads no, yes, on and off as false and true: put them in quotes"),
        ("device: off", "device is False; give one of auto, cpu, cuda; YAML reads no"),
        ("no: 3", "the key False does not exist; YAML reads no"),
        ("step: 3", "the key step does not exist; did you mean steps?"),
        ("lora: {ranks: 3}", "the key lora.ranks does not exist; did you mean lora.rank?"),
        ("source: capture", "the key source does not exist; there are model, output, task, steps,"),
        ("num_generations: 4", "the key num_generations does not exist; did you mean generations?"),
        ("lora: 3", "lora is 3; give a mapping of rank, alpha, dropout, targets"),
        ("lora: {rank: 0}", "lora.rank is 0; give a whole number, 1 to 1024"),
        ("lora: {rank: 2.5}", "lora.rank is 2.5; give a whole number, 1 to 1024"),
        ("lora: {targets: q_proj}", "lora.targets is 'q_proj'; give a list of names of modules"),
        ("lora: {targets: []}", "lora.targets is []; give a list"),
        ("steps: true", "steps is True; give a whole number, 1 to 10000000"),
        ("steps: ten", "steps is 'ten'; give a whole number"),
        ("steps: .inf", "steps is inf; give a whole number"),
        ("steps: .nan", "steps is nan; give a whole number"),
        ("steps: 2024-01-01", "steps is datetime.date(2024, 1, 1); give a whole number"),
        ("learning_rate: 0", "learning_rate is 0; give a number above 0 up to 1"),
        ("learning_rate: 2", "learning_rate is 2; give a number above 0 up to 1"),
        ("learning_rate: .nan", "learning_rate is nan; give a number above 0 up to 1"),
        ("learning_rate: 1e-5x", "learning_rate is '1e-5x'; give a number above 0 up to 1"),
        ("learning_rate: " + "9" * 400, "learning_rate is " + "9" * 77 + "...; give a number above 0 up to 1"),
        ("lora: {alpha: " + "9" * 400 + "}", "lora.alpha is " + "9" * 77 + "...; give a number above 0 up to 4096"),
        ("learning_rate: -.inf", "learning_rate is -inf; give a number above 0 up to 1"),
        ('output: "a\\ud800"', r"output is 'a\ud800'; the character 2 is half a surrogate pair, which no file or name can hold"),
        ('task: "\\udcff"', r"task is '\udcff'; the character 1 is half a surrogate pair"),
        ('lora: {targets: ["\\ud800"]}', r"lora.targets is ['\ud800']; the character 1 is half a surrogate pair"),
        ("time_limit: soon", "time_limit is 'soon'; give a number above 0 up to 1e+09, or null"),
        ("generations: 1", "generations is 1; give a whole number, 2 to 256"),
        ("accumulation: 3", "accumulation is 3, which does not divide the 4 x 4 = 16 completions of a step; give a divisor"),
        ("gate: {discontinuity: [0.7, 0.3]}", "gate.discontinuity is [0.7, 0.3]; give a list of two ascending numbers from 0 to 1"),
        ("gate: {discontinuity: 0.3}", "gate.discontinuity is 0.3; give a list of two ascending numbers"),
        ("gate: {base: 1}", "gate.base is 1; give true or false"),
        ("cascade: {signal: loss}", "cascade.signal is 'loss'; give one of reward, crystallization"),
        (
            "rewards: {task_reward: much}",
            "rewards is {'task_reward': 'much'}; the weight of task_reward is 'much': give a number from 0 to 1000, or null",
        ),
        ("rewards: {}", "rewards is {}; give a mapping of names of rewards to weights, or null"),
        ("rewards: {3: 1}", "rewards is {3: 1}; the name 3 is no text"),
        ("task: 3", "task is 3; give 'arithmetic', the path of a .jsonl file"),
        ("- model", "the configuration is ['model']; give a mapping of model, output"),
        ("", "the configuration is None; give a mapping of model, output"),
        ("{1: 2}", "the key 1 does not exist"),
    ],
)
def test_wrong_values_are_refused_by_file_key_and_value(tmp_path, text, said):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        RunConfig.from_yaml(path)
    assert str(caught.value).startswith(f"{path}: {said}")
    # Who is told what was meant needs no list of all keys.
    assert "did you mean" not in said or str(caught.value).endswith("?")


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match=r"pipe: this is no regular file \(a pipe, a device\); give the path of a YAML file"):
        RunConfig.from_yaml(tmp_path / "pipe")
    with pytest.raises(ConfigError, match=r"/dev/zero: this is no regular file"):
        RunConfig.from_yaml("/dev/zero")
    with pytest.raises(ConfigError, match=r": cannot be read: Is a directory; give the path of a YAML file"):
        RunConfig.from_yaml(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1", r":2: this is no YAML|:1: this is no YAML"),
        ("a: 1\nsteps: 3\nsteps: 4", r":3: this is no YAML that can be read here: the key 'steps' stands twice"),
        ("a: &x [1]\nb: *x", r":2: this is no YAML that can be read here: an alias \(\*\) stands here"),
        ("a: !!python/object/apply:os.system [ls]", r":1: this is no YAML that can be read here: could not determine a constructor"),
        ("? [1, 2]\n: 3", r":1: this is no YAML that can be read here|: the key"),
        ("[" * 3000, ": the values are nested too deeply|this is no YAML"),
        (b"a: \xff", ": byte 3 is no UTF-8"),
        ("a: \x00", ": this is no YAML"),
        ("steps: 2024-99-99", ":1: .* '2024-99-99' cannot be read as timestamp; give plain numbers and texts"),
        ("seed: 1\nsteps: !!timestamp x", ":2: .* 'x' cannot be read as timestamp"),
        ("steps: !!bool 'x'", ":1: .* 'x' cannot be read as bool"),
        ("steps: !!int ''", ":1: .* '' cannot be read as int"),
        ("lora: {alpha: !!float ''}", ":1: .* '' cannot be read as float"),
        ("steps: !!int '-'", ":1: .* '-' cannot be read as int"),
        ("steps: " + "9" * 5000, ":1: .* '9+[.]{3} cannot be read as int"),
        ("output: !!binary x", ":1: "),
        ("gate: {discontinuity: !!set [0.3, 0.7]}", ":1: .* expected a mapping node"),
        ("lora: !!map [rank]", ":1: .* expected a mapping node"),
        ("#" * (2**20 + 1), ": the file has more than 1048576 bytes"),
    ],
)
def test_files_that_are_no_plain_yaml_are_refused(tmp_path, text, said):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))}({said})"):
        RunConfig.from_yaml(path)


@settings(max_examples=60, deadline=2000)
@given(st.binary(max_size=60) | st.text(alphabet="abs:-[]{}*&!?|>'\"%@`#,\n 0123456789.", max_size=60).map(str.encode))
def test_any_bytes_are_a_configuration_or_an_error_of_ours(tmp_path_factory, raw):
    path = write(tmp_path_factory.getbasetemp(), raw)
    try:
        assert isinstance(RunConfig.from_yaml(path), RunConfig)
    except ConfigError as error:
        assert str(error).startswith(str(path))


def test_a_file_that_is_not_there_is_named(tmp_path):
    for path in (tmp_path / "nowhere.yaml", tmp_path):
        with pytest.raises(ConfigError, match=f"{re.escape(str(path))}: cannot be read: .*; give the path of a YAML file"):
            RunConfig.from_yaml(path)


@pytest.mark.parametrize("given", [{"steps": "ten"}, {"lora": {"rank": 3}}, {"gate": 3}, {"schedule": None}])
def test_python_is_checked_too(given: dict[str, Any]):
    with pytest.raises(ConfigError, match=r"is .*; give"):
        RunConfig(**given)
    assert RunConfig(cascade=None).cascade is None and RunConfig(cascade=CascadeOptions(start=3)).cascade == CascadeOptions(start=3)


# --- the learning rate


def test_the_example_is_a_configuration():
    import ebmhw.coherence.training as package

    config = RunConfig.from_yaml(Path(package.__file__).parent / "example.yaml")
    assert (config.model, config.task["name"], config.cascade.signal) == ("smollm2", "arithmetic", "reward")
    assert notices(config, config.rewards) == []


def test_what_is_commented_out_in_the_example_can_stand_there():
    import ebmhw.coherence.training as package

    text = (Path(package.__file__).parent / "example.yaml").read_text()
    shown = re.sub(r"(?m)^( *)# (coherence|  reward|start):", r"\1\2:", text)
    config = RunConfig.from_dict(yaml.safe_load(shown))
    assert "coherence" in yaml.safe_load(shown) and config.coherence == CoherenceOptions() and config.cascade.start == 30
    for value in ("static", "phase_adaptive", "eml"):
        assert value in text and RunConfig.from_dict({"coherence": {"reward": value}}).coherence.reward == value
    for kind in (CascadeOptions, CoherenceOptions, GateOptions, LoraOptions, ScheduleOptions):
        assert kind.__name__ in (RunConfig.__doc__ or "")
    assert f"{FIRST_OPENING} steps or fewer" in text and f"some {lines_for(GateOptions().examples, 1 / EVAL_SHARE) // 10 * 10} lines" in text


# --- what cannot happen


def test_the_first_opening_is_that_of_a_signal_that_jumps_as_early_as_can_be():
    for jump in (CALIBRATION, CALIBRATION - 1, CALIBRATION + 1):
        cascade = Cascade("reward")
        values = [float(step % 2) + (100 if step > jump else 0) for step in range(1, 400)]
        opened = [step for step, value in enumerate(values, 1) if cascade.observe(step, value)]
        assert opened and opened[0] >= FIRST_OPENING
        if jump == CALIBRATION:
            # The bound is met, and the reward counts from the next update on.
            assert opened[0] == FIRST_OPENING and cascade.weight(FIRST_OPENING - 1) == 0 < cascade.weight(FIRST_OPENING)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"steps": 60}, "cannot join: a cascade by the signal reward opens at step 60 at the earliest .* and the run has 60 steps; give more"),
        ({"steps": 1, "cascade": {"signal": "crystallization"}}, "by the signal crystallization .* the run has 1 step; give more steps"),
        ({"steps": 61}, None),
        ({"steps": 10, "cascade": None}, None),
        ({"steps": 10, "cascade": {"start": 9}}, None),
        ({"steps": 10, "cascade": {"start": 10}}, "cannot join: cascade.start is 10, and the run has 10 steps; give more steps, or a smaller start"),
        ({"steps": 10, "rewards": {"task_reward": 1}}, None),
        ({"steps": 10, "rewards": {"task_reward": 1, "carl_composite_reward": 0}}, None),
        ({"steps": 10, "rewards": {"task_reward": 1, "carl_composite_reward": 1}}, "cannot join"),
    ],
)
def test_what_cannot_happen_is_said(given, said):
    config = RunConfig.from_dict(given)
    weights = config.rewards or {"task_reward": 1, "carl_composite_reward": 1}
    found = notices(config, [name for name, weight in weights.items() if weight])
    assert len(found) == (said is not None) and all(re.search(said, one) for one in found)


@settings(max_examples=200)
@given(st.integers(0, 500), st.integers(1, 400), st.integers(1, 400), st.none() | st.floats(0, 1), st.integers(0, 20))
def test_factors_stay_within_their_limits(step, steps, horizon, order, warmup):
    from math import cos, pi

    for name in ("constant", "linear", "cosine", "resonance"):
        options = ScheduleOptions(name=name, warmup_steps=warmup)
        found = factor(options, step, steps, horizon, order)
        warm = min(1, (step + 1) / (warmup + 1))
        assert 0 <= found <= options.high * warm
        if name == "resonance":
            half = 0.5 * (1 + cos(pi * step / horizon)) if step < horizon else 0
            told = 1 if order is None else order
            assert found == pytest.approx(warm * min(1.5, max(0.2, half * (1 + 0.5 * (1 - told)))))


def test_disorder_raises_the_rate_and_the_horizon_is_that_of_the_width():
    options = ScheduleOptions(name="resonance")
    assert factor(options, 0, 9, 100, 0.0) == 1.5 > factor(options, 0, 9, 100, 0.5) > factor(options, 0, 9, 100, 1.0) == 1.0
    assert envelope(0, 10) == 1 and envelope(5, 10) == pytest.approx(0.5) and envelope(10, 10) == envelope(11, 10) == 0
    assert horizon_steps(options, 576, 384) == 12288 // 384 and horizon_steps(options, 1, 10**6) == 1
    assert horizon_steps(ScheduleOptions(horizon_steps=7), 576, 384) == 7
