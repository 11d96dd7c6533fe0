"""The rewards of the task, against levels written anew from their tables over completions whose making is known."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.coherence.rewards import (
    TASK_REWARDS,
    ConcisenessReward,
    ToolCallFormatReward,
    ToolRegistry,
    ToolSelectionReward,
    calls_in,
    chain_completion_reward,
    conciseness_reward,
    extract_json,
    extract_text,
    neuralese_v2_reward,
    tool_call_format_reward,
    tool_selection_reward,
)
from ebmhw.errors import ConfigError, ValidationError

NEEDED = {
    "read_file": ["path"],
    "write_file": ["path", "content"],
    "list_directory": ["path"],
    "web_search": ["query"],
    "execute_code": ["code"],
    "search_codebase": ["pattern"],
    "run_shell": ["command"],
    "git_operation": ["operation"],
}
TASK = [tool_call_format_reward, tool_selection_reward, chain_completion_reward, neuralese_v2_reward, conciseness_reward]


class Made(NamedTuple):
    """A completion, and what its only call is: its name, and its arguments where they are an object."""

    completion: Any
    has_object: bool
    name: str | None
    arguments: dict | None


prose = st.text("abc .,\n}]\"'`:", max_size=20)
texts = st.text('xyz{}"\\\n', max_size=6)
arguments = st.dictionaries(st.sampled_from(["path", "content", "query", "x"]), texts | st.integers(), max_size=3)


@st.composite
def made(draw: st.DrawFn) -> Made:
    """Return one of the forms in which models call, or one that is close to it."""
    name = draw(st.sampled_from([*NEEDED, "fly", ""]))
    given_arguments = draw(arguments)
    kind = draw(st.sampled_from(["whole", "text", "no arguments", "wrong arguments", "no name", "wrong name", "nothing"]))
    call: dict[str, Any] = {"name": name, "arguments": given_arguments}
    expected: tuple[str | None, dict | None] = (name, given_arguments)
    if kind == "text":
        call["arguments"] = json.dumps(given_arguments)
    elif kind == "no arguments":
        del call["arguments"]
        expected = (name, None)
    elif kind == "wrong arguments":
        call["arguments"] = draw(st.sampled_from([[], 3, "path", '["path"]', '{"path": 1} and more', None]))
        expected = (name, None)
    elif kind == "no name":
        del call["name"]
        expected = (None, None)
    elif kind == "wrong name":
        call["name"] = draw(st.sampled_from([5, None, ["read_file"]]))
        expected = (None, None)
    if kind == "nothing":
        return Made(draw(prose), False, None, None)
    form = draw(st.sampled_from(["bare", "tags", "fence", "plain fence", "function", "openai", "listed", "message", "message, flat", "message, old"]))
    before, behind = draw(prose), draw(prose)
    if form == "message":
        message = {"role": "assistant", "content": draw(st.none() | prose), "tool_calls": [{"type": "function", "id": "1", "function": call}]}
        return Made([message], True, *expected)
    if form == "message, flat":
        return Made([{"role": "assistant", "tool_calls": [call]}], True, *expected)
    if form == "message, old":
        return Made([{"role": "assistant", "content": before, "function_call": call}], True, *expected)
    if form == "function":
        call = {"type": "function", "function": call}
    elif form == "openai":
        call = {"tool_calls": [{"function": call}]}
    told = json.dumps(call)
    if form == "tags":
        told = f"<tool_call>\n{told}\n</tool_call>"
    elif form in ("fence", "plain fence"):
        told = f"```{'json' if form == 'fence' else ''}\n{told}\n```"
    elif form == "listed":
        told = f"[TOOL_CALLS] [{told}]"
    text = before + told + behind
    shape = draw(st.sampled_from(["text", "message", "no role", "parts", "after a tool's result"]))
    completion: Any = text
    if shape == "message":
        completion = [{"role": "assistant", "content": text}]
    elif shape == "no role":
        completion = [{"content": text}]
    elif shape == "parts":
        completion = [{"role": "assistant", "content": [{"type": "text", "text": before + told}, {"type": "text", "text": behind}]}]
    elif shape == "after a tool's result":
        completion = [
            {"role": "tool", "name": "read_file", "content": '{"name": "run_shell", "arguments": {"command": "ls"}}'},
            {"role": "assistant", "content": text},
        ]
    return Made(completion, True, *expected)


def level(one: Made) -> float:
    """The five levels of the format, from the table."""
    if not one.has_object:
        return 0.0
    if one.name is None:
        return 0.3
    if one.arguments is None:
        return 0.6
    return 1.0 if one.name in NEEDED and all(key in one.arguments for key in NEEDED[one.name]) else 0.8


@given(st.lists(made(), max_size=4))
def test_format_levels(found: list[Made]) -> None:
    assert tool_call_format_reward(completions=[one.completion for one in found]) == [level(one) for one in found]


@given(made(), st.lists(st.sampled_from([*NEEDED, "fly"]), min_size=1, max_size=3))
def test_selection_levels(one: Made, expected: list[str]) -> None:
    right = 1.0 if one.name in expected else 0.5 if one.name in NEEDED else 0.0
    assert tool_selection_reward([one.completion], expected_tools=[expected]) == [right]


@given(made(), st.lists(st.sampled_from([*NEEDED, "fly"]), min_size=1, max_size=3), st.integers(0, 4))
def test_chain_levels_of_one_call(one: Made, expected: list[str], length: int) -> None:
    """Those of carl-studio, whose chain is one call: 1 or 0 for none expected, .3 for a name that is only mentioned, 1 or .6 for the right one."""
    if length == 0:
        right = 1.0 if one.name is None else 0.0
    elif one.name is None:
        right = 0.0
    elif one.name in expected:
        right = 1.0 if length == 1 else 0.6
    else:
        right = 0.0
    assert chain_completion_reward([one.completion], expected_tools=[expected], chain_length=[length]) == [right]


def told(*names: str) -> str:
    return "".join(json.dumps({"name": name, "arguments": {}}) for name in names)


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=7), st.lists(st.sampled_from("abc"), min_size=2, max_size=5))
def test_chains_are_judged_by_their_order(names: list[str], expected: list[str]) -> None:
    def common(left: tuple, right: tuple) -> int:
        if not left or not right:
            return 0
        if left[-1] == right[-1]:
            return common(left[:-1], right[:-1]) + 1
        return max(common(left[:-1], right), common(left, right[:-1]))

    (score,) = chain_completion_reward([told(*names)], expected_tools=[expected], chain_length=[len(expected)])
    if names[0] not in expected:
        assert score == (0.3 if set(names) & set(expected) or any(name in told(*names) for name in expected) else 0.0)
    else:
        share = (common(tuple(names), tuple(expected)) - 1) / (max(len(names), len(expected)) - 1)
        assert score == pytest.approx(0.6 + 0.4 * share)


def test_chains_by_example() -> None:
    """What the peer cannot tell apart: it looks at the first call only, so these are all .6 there."""
    chain = {"expected_tools": [["a", "b", "c"]], "chain_length": [3]}
    order = [told("a", "b", "c"), told("a", "b"), told("a", "c", "b"), told("a"), told("a", "b", "c", "d", "d")]
    scores = [chain_completion_reward([text], **chain)[0] for text in order]
    assert scores == pytest.approx([1.0, 0.8, 0.8, 0.6, 0.8])
    assert chain_completion_reward(['{"name": "x"} I should have used b'], **chain) == [0.3]
    assert chain_completion_reward([told("s", "s", "s")], expected_tools=[["s"]], chain_length=[3]) == [1.0]
    # Calls over several messages, with a tool's answers between them.
    turns = [
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "a", "arguments": "{}"}}]},
        {"role": "tool", "name": "a", "content": told("c")},
        {"role": "assistant", "content": "then " + told("b")},
        {"role": "tool", "content": "ok"},
        {"role": "assistant", "content": "done"},
    ]
    assert [call.name for call in calls_in(turns).calls] == ["a", "b"]
    assert chain_completion_reward([turns], **chain) == [pytest.approx(0.8)]


def test_braces_within_texts_do_not_mislead() -> None:
    """Counting braces, the peer cuts each of these at the wrong place and scores it 0."""
    for content in ("}", "{", '{"', "if (a) { b", "\\}", "```"):
        text = "I write: " + json.dumps({"name": "write_file", "arguments": {"path": "a", "content": content}})
        assert tool_call_format_reward([text]) == [1.0]
    # Nor does what stands before it.
    assert tool_call_format_reward(["a set {1, 2} and { so on: " + json.dumps({"name": "read_file", "arguments": {"path": "a"}})]) == [1.0]
    assert tool_call_format_reward(['{"thought": 1} ' + json.dumps({"name": "read_file", "arguments": {"path": "a"}})]) == [1.0]


def test_arguments_are_judged_by_the_schema() -> None:
    get_weather = {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}, "unit": {"enum": ["C", "F"]}},
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    }
    reward = ToolCallFormatReward(ToolRegistry([get_weather, {"name": "now"}]))
    calls = [
        ({"city": "Oslo"}, 1.0),
        ({"city": "Oslo", "days": 3, "unit": "C"}, 1.0),
        ({"city": 7}, 0.8),
        ({"city": "Oslo", "days": 0}, 0.8),
        ({"city": "Oslo", "unit": "K"}, 0.8),
        ({"town": "Oslo"}, 0.8),
        ({}, 0.8),
    ]
    completions = [json.dumps({"name": "get_weather", "arguments": given_arguments}) for given_arguments, _ in calls]
    assert reward(completions) == [right for _, right in calls]
    assert reward([json.dumps({"name": "now", "arguments": {}})]) == [1.0]
    # A dataset's own column of tools comes first, row by row.
    assert tool_call_format_reward(completions[:3], tools=[[get_weather], None]) == [1.0, 0.8, 0.8]
    assert tool_selection_reward(completions[:2], expected_tools=[["x"], ["x"]], tools=[[get_weather], None]) == [0.5, 0.0]
    assert ToolSelectionReward(ToolRegistry([get_weather]))(completions[:1], expected_tools=[["x"]]) == [0.5]


@pytest.mark.parametrize(
    ("tools", "named"),
    [
        ([{"name": "a"}, {"name": "a"}], "two tools are named 'a'"),
        ([{"title": "a"}], "a tool is"),
        ({"a": {"pattern": "x"}}, "pattern"),
        (3, "tools are 3"),
        ([{"name": ""}], "the name of a tool"),
    ],
)
def test_registries_that_make_no_sense_are_refused(tools: Any, named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        ToolRegistry(tools)


def test_what_is_unknown_is_none() -> None:
    call = told("read_file")
    assert tool_selection_reward([call, call]) == [None, None]
    assert tool_selection_reward([call, call, call, call], expected_tools=[None, ["read_file"], []]) == [None, 1.0, None, None]
    assert chain_completion_reward([call] * 2, expected_tools=[["read_file"]] * 2) == [None, None]
    assert chain_completion_reward([call] * 2, chain_length=[0, 1]) == [0.0, None]
    assert chain_completion_reward([call] * 5, expected_tools=[["read_file"]] * 5, chain_length=[1, None, float("nan"), 1.0]) == [
        1.0,
        None,
        None,
        1.0,
        None,
    ]
    for reward in TASK:
        columns = {"expected_tools": [["read_file"]] * 3, "chain_length": [1] * 3}
        scores = reward(completions=[None, 7, call], **columns)
        assert scores[:2] == [None, None]
        assert scores[2] is not None


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"expected_tools": "read_file"}, "give a list with one entry a completion"),
        ({"expected_tools": [["a"], ["b"]]}, "2 entries for 1 completions"),
        ({"expected_tools": [[3]]}, "each name is a text"),
        ({"expected_tools": [["a"]], "chain_length": [-1]}, "chain_length is -1"),
        ({"expected_tools": [["a"]], "chain_length": ["two"]}, "chain_length is 'two'"),
    ],
)
def test_columns_that_make_no_sense_are_refused(columns: dict, named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        chain_completion_reward(["x"], **columns)


def test_one_expected_tool_may_stand_alone() -> None:
    assert tool_selection_reward([told("a")], expected_tools=["a"]) == [1.0]


pieces = st.one_of(
    st.tuples(st.just(0), st.text("abc ,.}", max_size=30)),
    st.dictionaries(st.text("xy", max_size=3), st.text('a}{"', max_size=9), max_size=3).map(lambda o: (1, json.dumps(o))),
    st.text('ab{}"\n', max_size=20).map(lambda code: (1, f"```python\n{code}\n```")),
)


@given(st.lists(pieces, max_size=6))
def test_the_structured_share(parts: list[tuple[int, str]]) -> None:
    text = " ".join(part for _, part in parts)
    structured = sum(len(part) for is_structured, part in parts if is_structured)
    right = 0.0 if not text else 1.0 if len(text) < 30 else min(1.0, round(2 * structured / len(text), 4))
    assert neuralese_v2_reward([text, [{"role": "assistant", "content": text}]]) == [pytest.approx(right, abs=1e-9)] * 2


def test_the_structured_share_counts_json_only_and_calls_beside_the_content() -> None:
    braces = "{ this is no JSON, though its braces balance } and so on"
    assert neuralese_v2_reward([braces]) == [0.0]
    call = {"function": {"name": "f", "arguments": {"k": "v" * 50}}}
    assert neuralese_v2_reward([[{"role": "assistant", "content": None, "tool_calls": [call]}]]) == [1.0]
    assert neuralese_v2_reward([""]) == [0.0]


@given(st.text(max_size=50), st.integers(1, 60))
def test_conciseness(text: str, limit: int) -> None:
    right = max(0.0, round(1 - len(text) / limit, 4))
    assert conciseness_reward([text], max_completion_length=limit) == [right]
    assert ConcisenessReward(limit)([text]) == [right]
    assert ConcisenessReward(limit, "tokens")([text, text], completion_ids=[[1] * len(text)]) == [right, None]


def test_conciseness_refuses_what_is_no_limit() -> None:
    with pytest.raises(ConfigError, match="max_completion_length is 0"):
        conciseness_reward(["x"], max_completion_length=0)
    with pytest.raises(ConfigError, match="unit of a conciseness reward is 'words'"):
        ConcisenessReward(unit="words")


def test_text_and_first_call() -> None:
    assert extract_text("a") == "a"
    assert extract_text([{"role": "assistant", "content": "a"}, {"role": "assistant", "content": ""}, {"role": "tool", "content": "b"}]) == "a"
    assert extract_text([{"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "image"}]}]) == "a"
    assert extract_text([]) == extract_text(None) == extract_text([3]) == ""
    assert extract_json('{"x": 1} {"name": "f", "arguments": "{\\"a\\": 1}"}') == {"name": "f", "arguments": {"a": 1}}
    assert extract_json('{"name": "f", "arguments": "a"}') == {"name": "f", "arguments": "a"}
    assert extract_json('{"name": ["f"]}') is None
    assert extract_json("{") is None


# --- all together


hostile = st.one_of(
    st.text(),
    st.none(),
    st.integers(),
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["role", "content", "tool_calls", "function", "name", "arguments", "text"]), inner, max_size=4)
        ),
    ),
)


@given(st.lists(hostile, max_size=4))
def test_scores_of_anything_are_none_or_from_0_to_1(completions: list) -> None:
    count = len(completions)
    columns = {"expected_tools": [["read_file"]] * count, "chain_length": [2] * count, "completion_ids": [[1]] * count, "trainer_state": object()}
    for reward in TASK:
        scores = reward(prompts=["p"] * count, completions=completions, **columns)
        assert len(scores) == count
        assert all(score is None or 0.0 <= score <= 1.0 for score in scores)


@pytest.mark.parametrize("unit", ["{", '{"a":', '{"name": "f", "arguments": "{', '{"name":"read_file","arguments":{}}', "```", "[[[{"])
def test_hostile_completions_take_no_time(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    deep: Any = "x"
    for _ in range(5000):
        deep = {"function": deep, "arguments": [deep]}
    started = time.process_time()
    for reward in TASK:
        scores = reward([text, [{"role": "assistant", "content": text, "tool_calls": [deep]}]], expected_tools=[["f", "g"]] * 2, chain_length=[2, 2])
        assert None not in scores
    assert time.process_time() - started < 10


def test_the_table_of_weights() -> None:
    assert list(TASK_REWARDS.values()) == [2.0, 1.5, 2.0, 0.5, 0.5, 1.5]
    assert [reward.__name__ for reward in TASK] == list(TASK_REWARDS)[:5]


def test_rewards_need_no_torch() -> None:
    code = (
        "import sys; sys.modules.update(torch=None, transformers=None, trl=None); from ebmhw.coherence import rewards; "
        "[getattr(rewards, name) for name in rewards.__all__]; "
        "print(rewards.tool_call_format_reward(['{}']), rewards.diversity_reward(['a', 'b'], completion_ids=[[1], [2]], prompts=['p', 'p']))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert output == "[0.3] [1.0, 1.0]\n"
