"""OpenAI's messages: sessions written here are read back; names that come twice or not at all; arrays that are cut, broken or huge."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import karl_foreign as foreign
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import InvalidFile
from ebmhw.karl.readers import values
from ebmhw.karl.readers.openai_messages import OpenAiReader
from ebmhw.karl.readers.reader import Problem
from ebmhw.karl.trajectory import trajectory_id

FEW = settings(max_examples=60, deadline=None)
ARGUMENTS = {"file_path": "path"}


def written(plan: list[foreign.Said], ids: str) -> list[dict[str, Any]]:
    """Return a plan as messages; ids of calls are "own", the "same" for all, or "none" (results in the order of the calls)."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": "Be brief."}]
    number = 0
    for said in plan:
        message: dict[str, Any] = {"role": said.role, "content": said.text}
        results = []
        for call in said.calls:
            number += 1
            own = {"own": f"call_{number}", "same": "call_0", "none": None}[ids]
            arguments = {ARGUMENTS.get(key, key): value for key, value in call.params.items()}
            made = {"id": own, "type": "function", "function": {"name": call.tool, "arguments": json.dumps(arguments)}}
            message.setdefault("tool_calls", []).append(made)
            if call.output is not None:
                content = f"Error: {call.output}" if call.failed else call.output
                results.append({"role": "tool", "tool_call_id": own, "name": call.tool, "content": content})
        messages += [message, *results]
    return messages


@FEW
@given(st.lists(foreign.plans(all_answered=True), min_size=1, max_size=4), st.sampled_from(("own", "same", "none")), st.data())
def test_sessions_are_read_back(plans: list[list[foreign.Said]], ids: str, data: st.DataObject) -> None:
    rewards = [data.draw(st.sampled_from((0.0, 0.25, 1, True, None, 7))) for _ in plans]
    objects = [
        {"messages": written(plan, ids), "task_id": place // 2, "reward": reward}
        for place, (plan, reward) in enumerate(zip(plans, rewards, strict=True))
    ]
    for raw in (foreign.lines(objects), json.dumps(objects, indent=data.draw(st.sampled_from((None, 1)))).encode()):
        read, problems = foreign.read("openai", raw)
        assert [problem.text[:11] for problem in problems] == ["reward is 7"] * (7 in rewards)
        assert [foreign.events_in(found) for found in read] == [foreign.events_of(plan) for plan in plans]
        assert [foreign.turns_in(found)[1:] for found in read] == [foreign.turns_of(plan) for plan in plans]
        assert [found.prompt for found in read] == [plan[0].text for plan in plans]
        assert [found.task for found in read] == [str(place // 2) for place in range(len(plans))]
        assert [found.outcome.verified for found in read] == [float(r) if r is not None and r <= 1 else None for r in rewards]
        assert len({found.id for found in read}) == len(plans)
        assert [found.id for found in read] == [found.id for found in foreign.read("openai", raw)[0]]


@FEW
@given(foreign.plans())
def test_results_that_never_came_are_not_known(plan: list[foreign.Said]) -> None:
    (read,), problems = foreign.read("openai", [{"messages": written(plan, "own")}])
    assert foreign.events_in(read) == foreign.events_of(plan) and not problems


def test_trials_of_a_task_are_sessions_of_their_own_even_if_they_are_equal() -> None:
    messages = written([foreign.Said("user", "Book.", ())], "own")
    objects = [{"task_id": 3, "trial": trial % 2, "traj": messages, "reward": 0.0} for trial in range(4)]
    read, _ = foreign.read("openai", objects)
    assert [found.task for found in read] == ["3"] * 4
    assert len({found.session_id for found in read}) == 4 and all("trial-" in found.session_id for found in read)
    assert [found.id for found in read] == [trajectory_id(found.session_id) for found in read]


def test_a_number_names_a_task_of_its_benchmark_only() -> None:
    messages = written([foreign.Said("user", "Hello.", ())], "own")

    def tasks(made: Any) -> list[str | None]:
        read, problems = foreign.read("openai", made)
        assert not problems
        return [found.task for found in read]

    def trial(instruction: str, number: int) -> dict[str, Any]:
        return {"task_id": 3, "trial": number, "traj": messages, "info": {"task": {"instruction": instruction}}}

    airline, again, shop = tasks([trial("Book a flight.", 0), trial("Book a flight.", 1), trial("Return a shoe.", 0)])
    assert airline == again != shop and airline is not None and airline.startswith("3-")
    assert tasks([{"task_id": 3, "messages": messages, "domain": "shop"}, {"task_id": "shop-3", "messages": messages, "domain": "shop"}]) == [
        "shop/3",
        "shop-3",
    ]
    assert tasks({"info": {"environment_info": {"domain_name": "retail"}}, "simulations": [{"task_id": "7", "messages": messages}]}) == ["retail/7"]


def test_an_own_name_is_kept_and_one_that_pretends_to_be_a_second_is_told_apart() -> None:
    messages = [{"role": "user", "content": "Hi."}]
    names = ["a", "a#2", "a", "a", "a#2"]
    read, _ = foreign.read("openai", [{"session_id": name, "messages": messages} for name in names])
    assert read[0].session_id == "a" and len({found.id for found in read}) == 5


def test_what_stands_around_the_messages() -> None:
    call = {"type": "tool_use", "id": "t1", "name": "str_replace_editor", "input": {"command": "view", "path": "/a.py"}}
    blocks = [
        {"role": "user", "content": [{"type": "text", "text": "Look."}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "I do."}, call]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "is_error": True, "content": [{"type": "text", "text": "gone"}]}]},
    ]
    (read,), _ = foreign.read("openai", [{"messages": blocks}])
    assert foreign.events_in(read) == [("Read", {"file_path": "/a.py", "command": "view"}, False)]
    assert foreign.turns_in(read) == [("user", "Look."), ("assistant", "I do.")]
    old = [
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": None, "function_call": {"name": "find", "arguments": '{"query": "x"}'}},
        {"role": "function", "name": "find", "content": "here"},
        {"type": "function_call", "call_id": "r1", "name": "find", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "r1", "output": '{"error": "none"}'},
    ]
    (read,), _ = foreign.read("openai", old, "chat.json")
    assert foreign.events_in(read) == [("find", {"query": "x"}, True), ("find", {}, False)]
    assert read.session_id.startswith("chat-")
    share = [{"from": "human", "value": "Look."}, {"from": "gpt", "value": "Yes."}]
    (read,), _ = foreign.read("openai", [{"conversations": share, "model": "m", "system": "S"}])
    assert foreign.turns_in(read) == [("system", "S"), ("user", "Look."), ("assistant", "Yes.")] and read.model == "m"
    simulations = {"info": {}, "simulations": [{"task_id": "7", "trial": 0, "reward_info": {"reward": 1.0}, "messages": old[:1]}]}
    (read,), _ = foreign.read("openai", simulations)
    assert (read.task, read.outcome.verified) == ("7", 1.0)
    own = [
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "name": "find", "arguments": {"query": "x"}, "requestor": "assistant"}]},
        {"role": "tool", "id": "1", "content": "no such thing", "requestor": "assistant", "error": True},
        {"role": "user", "content": None, "tool_calls": [{"id": "1", "name": "reboot", "arguments": {}, "requestor": "user"}]},
        {"role": "tool", "id": "1", "content": "ok", "requestor": "user", "error": False},
    ]
    (read,), problems = foreign.read("openai", {"simulations": [{"messages": own}]})
    assert foreign.events_in(read) == [("find", {"query": "x"}, False)] and not problems and len(read.turns) == 2


def test_a_shell_s_success_is_known_by_its_exit_code_only() -> None:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Test."}]
    for number, output in enumerate(("ok", "Exit code: 2\nno", "fine\n[The command completed with exit code 0.]", "Error: no shell")):
        messages.append({"role": "assistant", "tool_calls": [{"id": f"{number}", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}]})
        messages.append({"role": "tool", "tool_call_id": f"{number}", "content": output})
    (read,), _ = foreign.read("openai", [{"messages": messages}])
    assert [(event.success, event.exit_code) for event in read.events] == [(None, None), (False, 2), (True, 0), (False, None)]


def test_a_simulated_user_that_ends_the_dialogue_does_not_go_on() -> None:
    messages = [{"role": "user", "content": "Book."}, {"role": "assistant", "content": "Done."}, {"role": "user", "content": "###STOP###"}]
    (read,), _ = foreign.read("openai", [{"messages": messages}])
    assert read.outcome.continued is None
    messages[-1]["content"] = "And a seat, please."
    (read,), _ = foreign.read("openai", [{"messages": messages}])
    assert read.outcome.continued is True


@FEW
@given(st.data())
def test_hostile_members_never_raise_anything_but_that_nothing_can_be_read(data: st.DataObject) -> None:
    for sample in foreign.samples()["openai"]:
        foreign.sessions_or_nothing("openai", foreign.with_one_changed(sample, data.draw))


@FEW
@given(st.integers(1, 5), st.data())
def test_a_cut_array_gives_all_whole_elements(count: int, data: st.DataObject) -> None:
    indent = data.draw(st.sampled_from((None, 2)))
    parts = [json.dumps({"messages": [{"role": "user", "content": f'Nr. {place} "[{{é'}]}, indent=indent) for place in range(count)]
    raw, ends = b"[\n", []
    for part in parts:
        raw += part.encode()
        ends.append(len(raw))
        raw += b",\n"
    raw = raw[:-2] + b"]"
    cut = data.draw(st.integers(1, len(raw) - 1))
    whole = sum(end <= cut for end in ends)
    problems: list[Problem] = []
    read = []
    try:
        read, problems = foreign.read("openai", raw[:cut])
    except InvalidFile as error:
        assert whole == 0 and "nothing of it can be read" in str(error)
    assert len(read) == whole
    assert whole == 0 or (len(problems) == 1 and ("cut" in problems[0].text or "ends within" in problems[0].text))


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        ('{"messages": [}', "element 2: it is left out"),
        ('{"messages": tru}', "element 2: it is left out"),
        ("17", "element 2: it is a int"),
        ('{"messages": 5, "a": "\\"]}"}', "element 2: it has no list of messages"),
        ("[" * 5000 + "]" * 5000, "nested too deeply"),
        ('{"messages": [], "a": 1, "a": 2}', "is there twice"),
        ('{"messages": [' + "9" * 5000 + "]}", "digits"),
        ('{"messages": []}', "holds none"),
    ],
)
def test_a_broken_element_is_reported_and_the_others_are_read(broken: str, text: str) -> None:
    good = '{"messages": [{"role": "user", "content": "Hi."}], "session_id": "%s"}'
    read, problems = foreign.read("openai", f"[{good % 'one'}, {broken}, {good % 'three'}]".encode())
    assert [found.session_id for found in read] == ["one", "three"]
    assert len(problems) == 1 and problems[0].path.endswith("some.json") and text in problems[0].text


def test_a_broken_line_is_reported_by_its_number() -> None:
    good = '{"messages": [{"role": "user", "content": "Hi."}]}\n'
    read, problems = foreign.read("openai", f"{good}{good[:-9]}\n\n{good}[]\n{good}".encode())
    assert len(read) == 3 and [problem.line for problem in problems] == [2, 5]
    read, problems = foreign.read("openai", f"{{broken\n{good}{good}".encode())
    assert len(read) == 2 and [problem.line for problem in problems] == [1]


def test_elements_over_the_limit_are_refused_and_the_rest_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "VALUE_CHARS", 10_000)
    monkeypatch.setattr(values, "CHUNK", 64)
    small = {"messages": [{"role": "user", "content": 'Hi \\" ]'}]}
    large = {"messages": [{"role": "user", "content": 'é"]' * 10_000}]}
    read, problems = foreign.read("openai", json.dumps([small, large, small], ensure_ascii=False).encode())
    assert len(read) == 2 and len(problems) == 1 and "element 2" in problems[0].text and "more than" in problems[0].text
    with pytest.raises(InvalidFile, match=r"one JSON document of more than .* one session a line"):
        foreign.read("openai", json.dumps(large, indent=1).encode())


def test_a_file_of_which_nothing_can_be_read() -> None:
    for raw in (b'{"messages": [{"role"', b"[5, 6]", b'{"a": 1}\n', b"[", b"\x00\xff\xfe garbage", b"{}"):
        with pytest.raises(InvalidFile, match=r"nothing of it can be read|no whole JSON document"):
            foreign.read("openai", raw)
    assert foreign.read("openai", b"") == ([], []) and foreign.read("openai", b"[]") == ([], [])


@pytest.mark.parametrize("kind", foreign.FOREIGN)
def test_each_sample_is_read_and_taken_by_its_own_format_alone(kind: str) -> None:
    for sample in foreign.samples()[kind]:
        for raw in (json.dumps(sample), json.dumps(sample, indent=2)):
            assert foreign.recognised(raw.encode()) == [kind]
            read, problems = foreign.read(kind, raw.encode())
            assert len(read) == 1 and not problems and read[0].total_tools == (0 if "'action': 'message'" in str(sample) else 1)
    assert kind not in foreign.recognised(b'{"hello": "world"}\n') + foreign.recognised(b"") + foreign.recognised(b"[]")


@pytest.mark.slow
def test_an_array_of_300_megabytes_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    element = json.dumps({"messages": [{"role": "user", "content": "x" * 900_000}, {"role": "assistant", "content": "y" * 100_000}]}).encode()
    with path.open("wb") as stream:
        stream.write(b"[")
        for _ in range(299):
            stream.write(element + b",\n")
        stream.write(element + b"]")
    problems: list[Problem] = []
    tracemalloc.start()
    with path.open("rb") as stream:
        read = sum(1 for _ in OpenAiReader().read(stream, path, problems.append))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read == 300 and not problems and peak < 60e6
