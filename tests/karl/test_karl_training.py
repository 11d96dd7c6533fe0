"""Configurations, examples, masks and weights of karl's training; no torch is needed."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.errors import ConfigError, InvalidFile, MissingExtra
from ebmhw.karl.exports import FORMATS, export
from ebmhw.karl.training import Example, KarlConfig, plan, read_examples, train
from ebmhw.karl.training.config import FREE
from ebmhw.karl.training.examples import as_example, order
from ebmhw.karl.training.fusion import fused, normalised
from ebmhw.karl.training.tokens import KEPT, Template, Tokens, grouped, learnt, shortened
from ebmhw.karl.trajectory import ToolEvent, Trajectory

END = 0
EXAMPLE = Path(__file__).resolve().parents[2] / "host" / "ebmhw" / "karl" / "training" / "example.yaml"


class Letters:
    """A tokenizer of one token for one, two or three letters, with "<e>" as its end; templates as of models for chats."""

    eos_token_id = END

    def __init__(self, form: str = "{role}\n{content}<e>\n") -> None:
        self._form = form

    def apply_chat_template(self, messages: Sequence[Mapping[str, str]], tokenize: bool, add_generation_prompt: bool) -> str:
        assert not tokenize
        if any(one["role"] == "tool" for one in messages):
            raise ValueError("no tools here")
        head = "" if messages[0]["role"] == "system" else "system\nyou<e>\n"
        return head + "".join(self._form.format(**one) for one in messages) + ("assistant\n" if add_generation_prompt else "")

    def __call__(self, text: str, add_special_tokens: bool, return_offsets_mapping: bool) -> dict[str, list]:
        assert not add_special_tokens and return_offsets_mapping
        ids, offsets, at = [], [], 0
        while at < len(text):
            size = 3 if text[at : at + 3] == "<e>" else min(1 + (at % 3), len(text) - at)
            if size < 3 and "<e>" in text[at : at + size + 2]:
                size = min(size, text.index("<e>", at) - at)
            part = text[at : at + max(1, size)]
            ids.append(END if part == "<e>" else 1 + sum(ord(letter) * 131**place for place, letter in enumerate(part)))
            offsets.append((at, at + len(part)))
            at += len(part)
        return {"input_ids": ids, "offset_mapping": offsets}


# --- configuration


def test_the_example_is_a_configuration_and_comes_back_from_yaml(tmp_path: Path) -> None:
    config = KarlConfig.from_yaml(EXAMPLE)
    assert (config.model, config.lora.layers, config.schedule.name) == ("smollm2", 16, "cosine")
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    assert KarlConfig.from_yaml(tmp_path / "config.yaml") == config == KarlConfig.of(config) == KarlConfig.of(config.to_dict())
    assert set(FREE) <= set(config.to_dict())


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"stepps": 3}, "the key stepps does not exist; did you mean steps"),
        ({"steps": 0}, "steps is 0; give a whole number, 1 to 10000000"),
        ({"coherence": 1}, "coherence is 1; give a number from 0 to 0.99"),
        ({"weights": "no"}, "weights is 'no'; give true or false"),
        ({"lora": {"layers": 0}}, "lora.layers is 0; give a whole number, 1 to 10000, or null"),
        ({"schedule": {"name": "resonance"}}, "schedule.name is 'resonance'; give one of constant, linear, cosine"),
        ({"max_tokens": 8}, "max_tokens is 8; give a whole number, 16 to 1000000"),
        ({"learning_rate": 0}, "learning_rate is 0; give a number above 0 up to 1"),
    ],
)
def test_errors_of_a_configuration_name_key_and_remedy(given: dict, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        KarlConfig.from_dict(given, "run.yaml")
    assert str(caught.value).startswith(f"run.yaml: {text}")
    with pytest.raises(ConfigError, match="3 is no configuration; give a KarlConfig, the path of a YAML file, or a mapping"):
        KarlConfig.of(3)


# --- examples


def test_an_export_is_read_line_by_line(tmp_path: Path) -> None:
    line = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "name": "x"}], "weight": 2, "id": "traj_1"}
    (tmp_path / "train.jsonl").write_text(json.dumps(line) + "\n\n" + json.dumps({"messages": line["messages"]}) + "\n")
    train, valid = read_examples(tmp_path)
    assert [one.weight for one in train] == [2.0, 1.0] and valid == [] and train[0].messages[1] == {"role": "assistant", "content": "b"}
    (tmp_path / "valid.jsonl").write_text(json.dumps(line))
    assert len(read_examples(tmp_path)[1]) == 1


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("{", "this is no JSON"),
        ("[" * 5000, "this is no JSON"),
        ("[1]", "is no example; give an object with messages, a list, or with prompt and completion, lists, and weight, a number"),
        ('{"prompt": [], "completion": "x"}', "is no example; give an object with messages"),
        (
            '{"prompt": [], "chosen": [], "rejected": [], "margin": 1}',
            "this is a dpo export, which karl's training does not take; export with --as mess",
        ),
        ('{"prompt": [], "completion": [], "label": true}', "this is a kto export, which karl's training does not take; export with --as messages"),
        ('{"prompt": [], "task": "t"}', "this is a prompts export, which has nothing to learn; export with --as messages"),
        ('{"messages": [{"role": "user", "content": 3}]}', "is no message; give role, one of system, user, assistant, tool, and content, a text"),
        ('{"messages": [{"role": "user", "content": "a"}]}', "no message is the assistant's, so that there is nothing to learn"),
        ('{"messages": [{"role": "assistant", "content": "a"}], "weight": -1}', "weight is -1; give a number from 0 up"),
        ('{"messages": [{"role": "assistant", "content": "a"}], "weight": NaN}', "weight is nan; give a number from 0 up"),
        ('{"messages": [{"role": "assistant", "content": "a"}], "weight": true}', "weight is True; give a number from 0 up"),
    ],
)
def test_a_line_that_is_no_example_is_named(tmp_path: Path, line: str, text: str) -> None:
    good = json.dumps({"messages": [{"role": "assistant", "content": "b"}]})
    (tmp_path / "train.jsonl").write_text(f"{good}\n{line}\n")
    with pytest.raises(InvalidFile) as caught:
        read_examples(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'train.jsonl'}:2: ") and text in str(caught.value)


def test_files_of_each_form_are_read_or_named(tmp_path: Path) -> None:
    calls = (ToolEvent("Read"), ToolEvent("Edit"))
    sessions = [
        Trajectory(f"traj_{i}", f"s{i}", (*calls, ToolEvent("Bash", {"command": f"{i}"})), prompt=f"do {i // 2}", task=f"t{i // 2}") for i in range(8)
    ]
    worth = [1.0 + i % 2 for i in range(8)]
    read = {}
    for form in FORMATS:
        export(sessions, tmp_path / form, form, advantages=worth, rewards=worth, valid=0.25)
        if form in ("dpo", "kto", "prompts"):
            with pytest.raises(InvalidFile, match=rf"train.jsonl:1: this is a {form} export, .*; export with --as messages"):
                read_examples(tmp_path / form)
        else:
            read[form] = [[(one.messages, one.weight) for one in side] for side in read_examples(tmp_path / form)]
    assert read["completions"] == read["messages"] and all(map(len, read["messages"])) and len({weight for _, weight in read["messages"][0]}) == 2
    assert {repr(messages) for messages, _ in read["oversampled"][0]} == {repr(messages) for messages, _ in read["messages"][0]}


def test_an_example_is_taken_as_it_is() -> None:
    one = Example(({"role": "assistant", "content": "b"},), 0.0)
    assert as_example(one, "x") == one


@given(st.integers(1, 9), st.integers(0, 5), st.integers(0, 40))
def test_the_order_has_each_example_once_a_round_and_does_not_depend_on_the_length_of_the_run(count: int, seed: int, most: int) -> None:
    found = list(order(count, seed, most))
    assert len(found) == most and found == list(islice(order(count, seed, most + 7), most))
    for start in range(0, most, count):
        part = Counter(found[start : start + count])
        assert max(part.values()) == 1 and set(part) <= set(range(count))


def test_the_order_is_the_seeds() -> None:
    assert list(order(20, 1, 40)) != list(order(20, 2, 40)) and list(order(20, 1, 20)) != list(order(20, 1, 40))[20:]


# --- masks


MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(("system", "user", "assistant")), "content": st.text("ab \n1.", max_size=12)}),
    min_size=1,
    max_size=6,
)


@given(MESSAGES)
def test_only_what_the_assistant_says_is_learnt(messages: list[dict[str, str]]) -> None:
    tokens = Template(Letters(), "letters").tokens(messages)
    # What opens a conversation answers nothing.
    answers = [one["content"] for one in messages[1:] if one["role"] == "assistant"]
    assert len(tokens.ids) == len(tokens.target) == len(tokens.group) and not any(place >= 0 for place in tokens.group)
    # Each answer ends with the model's end token, which is learnt, and what follows it is not.
    assert sum(token == END and wanted for token, wanted in zip(tokens.ids, tokens.target, strict=True)) == len(answers)
    whole = Template(Letters(), "letters").pieces(messages)
    assert [piece.content for piece in whole if piece.content is not None] == answers
    last = max((place for place, one in enumerate(messages) if one["role"] == "assistant"), default=0)
    told = Letters().apply_chat_template(messages[: last + 1], False, False) if last else ""
    assert "".join(piece.text for piece in whole) == told
    # A token is of an answer where the piece that it was cut from is: told again from the pieces.
    wanted = []
    for piece in whole:
        ids = Letters()(piece.text, False, True)["input_ids"]
        if piece.content is None:
            wanted += [False] * len(ids)
        else:
            end = len(ids) - 1 - ids[::-1].index(END)
            wanted += [place <= end for place in range(len(ids))]
    assert list(tokens.target) == wanted


@given(st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=5), st.text("xy", max_size=7))
def test_marked_parts_are_found_in_the_tokens(names: list[str], asked: str) -> None:
    plan = "\n".join(f"{place}. [ok] {name}" for place, name in enumerate(names, 1))

    def spans(text: str) -> list[tuple[int, int]]:
        assert text == plan
        found, at = [], 0
        for line in text.split("\n"):
            found.append((at + line.index("] ") + 2, at + len(line)))
            at += len(line) + 1
        return found

    messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": plan}]
    tokens = Template(Letters(), "letters").tokens(messages, spans)
    piece = Template(Letters(), "letters").pieces(messages)[1].text
    offsets = Letters()(piece, False, True)["offset_mapping"]
    groups = tokens.group[-len(offsets) :]
    for place, (first, last) in enumerate(spans(plan)):
        touching = [at for at, (start, end) in enumerate(offsets) if start < last and first < end]
        assert touching and all(groups[at] == place for at in touching)
    assert sum(at >= 0 for at in tokens.group) == sum(any(start < last and first < end for first, last in spans(plan)) for start, end in offsets)


def test_a_template_that_writes_anew_or_refuses_is_named() -> None:
    class Counting(Letters):
        def apply_chat_template(self, messages, tokenize, add_generation_prompt):
            return f"{len(messages)} messages" + super().apply_chat_template(messages, tokenize, add_generation_prompt)

    both = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    with pytest.raises(ConfigError, match="the chat template of m does not append an answer to what asked for it"):
        Template(Counting(), "m").tokens(both)
    with pytest.raises(
        ConfigError, match=r"model m cannot put messages into its chat template \(ValueError: no tools here\); give a model for chats"
    ):
        Template(Letters(), "m").tokens([{"role": "tool", "content": "a"}, *both])


def test_the_first_token_of_all_is_no_target() -> None:
    class Bare(Letters):
        def apply_chat_template(self, messages, tokenize, add_generation_prompt):
            return "".join(one["content"] + "<e>" for one in messages if one["content"])

    tokens = Template(Bare(), "m").tokens([{"role": "user", "content": ""}, {"role": "assistant", "content": "abc"}])
    assert not tokens.target[0] and all(tokens.target[1:]) and len(tokens.ids) > 1


def test_the_last_end_ends_an_answer() -> None:
    assert learnt([5, END, 6, END, 7], END) == [True] * 4 + [False] and learnt([5, 6], END) == [True, True] == learnt([5, END], None)


@given(st.lists(st.integers(0, 3), max_size=12), st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), max_size=5))
def test_groups_are_those_of_brute_force(sizes: list[int], gaps: list[tuple[int, int]]) -> None:
    offsets, at = [], 0
    for size in sizes:
        offsets.append((at, at + size))
        at += size
    parts, at = [], 0
    for gap, size in gaps:
        # Tools of a plan are never side by side: a line's end is between them.
        parts.append((at + gap + 1, at + gap + 1 + size))
        at += gap + 1 + size
    wanted = [next((k for k, part in enumerate(parts) if part[0] < last and first < part[1] and first < last), None) for first, last in offsets]
    assert grouped(offsets, parts) == wanted


def test_a_marked_part_that_is_cut_in_two_is_marked_no_more() -> None:
    made = Tokens(tuple(range(30)), (False,) * 9 + (True,) * 21, (-1,) * 9 + (0,) * 3 + (-1,) * 5 + (1,) * 4 + (-1,) * 9)
    # The prompt loses one token, and the target its end: token 19 is the last of four, the third of the second part.
    assert shortened(made, 19).ids == tuple(range(1, 20)) and shortened(made, 19).group == (-1,) * 8 + (0,) * 3 + (-1,) * 8
    # Control: a part that ends with the last token stays.
    assert shortened(made, 20).group == (-1,) * 8 + (0,) * 3 + (-1,) * 5 + (1,) * 4


@given(st.integers(1, 40), st.integers(0, 40), st.integers(KEPT + 1, 60))
def test_prompts_lose_their_start_before_targets_lose_their_end(prompt: int, target: int, limit: int) -> None:
    made = Tokens(tuple(range(prompt + target)), (False,) * prompt + (True,) * target, tuple(range(prompt + target)))
    found = shortened(made, limit)
    assert len(found.ids) == min(limit, prompt + target) == len(found.target) == len(found.group) and found.cut == prompt + target - len(found.ids)
    assert found.ids == found.group == tuple(range(found.ids[0], found.ids[0] + len(found.ids)))
    if found.cut:
        assert sum(found.target) == min(target, limit - min(prompt, KEPT)) or target <= limit - KEPT
        if target <= limit - KEPT:
            assert sum(found.target) == target
        assert not found.target[0]


# --- weights


def test_weights_have_mean_1_over_those_that_count() -> None:
    assert normalised([1.0, 3.0, 0.0]).tolist() == [0.5, 1.5, 0.0]


@given(st.lists(st.tuples(st.sampled_from((0.0, 0.5, 1.0, 4.0)), st.sampled_from((None, 0.0, 0.2, 1.0))), min_size=1, max_size=8), st.floats(0, 0.99))
def test_fused_weights(drawn: list[tuple[float, float | None]], share: float) -> None:
    weights, coherence = [one[0] for one in drawn], [one[1] for one in drawn]
    if not any(weights):
        return
    found = fused(weights, coherence, share)
    mean = math.fsum(weights) / sum(one > 0 for one in weights)
    known = [c for w, c in drawn if w > 0 and c is not None]
    level = sum(known) / len(known) if known else 0
    for got, (w, c) in zip(found, drawn, strict=True):
        if w == 0:
            assert got == 0
        elif c is None or not level:
            assert got == pytest.approx(w / mean)
        else:
            assert got == pytest.approx((1 - share) * w / mean + share * c / level)
    if known and len(known) == sum(one > 0 for one in weights) and level:
        assert found.sum() == pytest.approx(sum(one > 0 for one in weights))
    assert np.array_equal(fused(weights, coherence, 0.0), normalised(weights)) and np.array_equal(
        fused(weights, [None] * len(drawn), share), normalised(weights)
    )


def test_without_its_libraries_training_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    example = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    for act in (train, plan):
        with pytest.raises(MissingExtra, match=r"training needs torch, transformers, trl, peft and datasets .*: pip install 'ebmhw\[train\]'"):
            act({"output": str(tmp_path / "run")}, examples=[example])
    assert not (tmp_path / "run").exists()


def test_resume_and_overwrite_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="resume and overwrite exclude each other; give one"):
        train({"output": str(tmp_path)}, resume=True, overwrite=True)
    with pytest.raises(ConfigError, match="holds no run to resume"):
        train({"output": str(tmp_path / "none")}, resume=True)
