"""Interaction chains: steps, what they say together, probes, and values that JSON cannot hold."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.coherence.chains import PROBED, ActionType, InteractionChain, Step
from ebmhw.coherence.chains.values import MAX_ITEMS, MAX_LEVELS, MAX_TEXT, plain
from ebmhw.errors import EbmhwError, ValidationError

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
KEY = "sk-" + "a1B2" * 8


def step(**members: Any) -> Step:
    return Step(**{"action": ActionType.TOOL_CALL, "name": "search"} | members)


# --- chains


@given(st.lists(st.tuples(st.sampled_from(ActionType), st.booleans(), st.none() | st.floats(0, 1))))
def test_a_chain_says_what_its_steps_say(told: list[tuple[ActionType, bool, float | None]]) -> None:
    chain = InteractionChain("c", NOON, context={"run": 3})
    made = [chain.record(action, f"step {n}", success=worked, phi=phi) for n, (action, worked, phi) in enumerate(told)]
    assert list(chain) == list(chain.steps) == made and len(chain) == len(told) and chain.last() == (made[-1] if made else None)
    for action in ActionType:
        assert [one.name for one in chain.by_action(action)] == [f"step {n}" for n, entry in enumerate(told) if entry[0] is action]
    assert chain.success_rate() == (sum(worked for _, worked, _ in told) / len(told) if told else None)
    assert [phi for _, phi in chain.coherence_trajectory()] == [phi for _, _, phi in told]
    assert all(datetime.fromisoformat(when).utcoffset() == timedelta(0) for when, _ in chain.coherence_trajectory())
    again = InteractionChain.from_dict(json.loads(json.dumps(chain.to_dict(), allow_nan=False)))
    assert again.to_dict() == chain.to_dict() and again.steps == chain.steps and again.context == {"run": 3} and again.started_at == NOON


def test_append_keeps_ids_unique_and_steps_as_they_were() -> None:
    chain, one = InteractionChain(), step(step_id="a", output=1)
    assert chain.append(one, result=2).output == 2 and one.output == 1
    assert chain.append(step(step_id="b")).output is None
    with pytest.raises(ValidationError, match="'a' is in chain"):
        chain.append(step(step_id="a"))
    with pytest.raises(ValidationError, match="call record"):
        chain.append("a step")  # type: ignore[arg-type]
    assert len(chain) == 2 and repr(chain).endswith("2 steps)")
    assert len({InteractionChain().chain_id for _ in range(50)}) == 50 and len({step().step_id for _ in range(50)}) == 50


def test_parents_may_come_after_their_children() -> None:
    chain = InteractionChain()
    chain.record(ActionType.TOOL_CALL, "child", step_id="1", parent_id="2")
    assert [one.step_id for one in chain.orphans()] == ["1"]
    chain.record(ActionType.CLI_CMD, "parent", step_id="2")
    assert chain.orphans() == []


# --- probes


@pytest.mark.parametrize("action", list(ActionType))
def test_a_probe_is_asked_where_coherence_is_to_be_had(action: ActionType) -> None:
    chain, asked = InteractionChain(), []

    def probe(**about: Any) -> dict[str, Any]:
        asked.append(about)
        return {"phi": 0.25, "kuramoto_r": 0.5, "other": 3}

    chain.register_coherence_probe(probe)
    got = chain.record(action, "x", input=[1], output="two")
    given_ = chain.record(action, "y", phi=0.75)
    chain.clear_coherence_probe()
    later = chain.record(action, "z")
    assert given_.phi == 0.75 and given_.probe_call is None and later.phi is None
    if action not in PROBED:
        assert not asked and got.phi is None
        return
    assert asked == [{"action": action, "name": "x", "input": [1], "output": "two"}]
    assert (got.phi, got.kuramoto_r, got.channel_coherence) == (0.25, 0.5, None)
    assert got.probe_call is not None and got.probe_call["probe_name"] == "probe" and got.probe_call["populated"] == ["phi", "kuramoto_r"]
    assert {len(got.probe_call[name]) for name in ("inputs_sha256", "output_sha256")} == {12}


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (7, "returned a int"),
        ({"phi": 2}, "phi"),
        ({"phi": math.nan}, "nan"),
        ({"phi": "high"}, "high"),
        (ZeroDivisionError("why"), "ZeroDivisionError: why"),
    ],
)
def test_a_probe_that_fails_is_told_in_the_step(told: Any, text: str) -> None:
    def probe(**_: Any) -> Any:
        if isinstance(told, Exception):
            raise told
        return told

    chain = InteractionChain()
    chain.register_coherence_probe(probe)
    got = chain.record(ActionType.REWARD, "r")
    assert got.phi is None and got.probe_call is not None and text in got.probe_call["error"] and got.probe_call["populated"] == []
    assert chain.last() is got


def test_a_probe_that_knows_nothing_leaves_no_trace() -> None:
    chain = InteractionChain()
    chain.register_coherence_probe(lambda **_: None)
    assert chain.record(ActionType.REWARD, "r").probe_call is None
    with pytest.raises(ValidationError, match="callable"):
        chain.register_coherence_probe(3)  # type: ignore[arg-type]


# --- steps


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"action": "dance"}, "ActionType"),
        ({"action": []}, "a list"),
        ({"name": 3}, "name"),
        ({"success": 1}, "True or False"),
        ({"started_at": datetime(2026, 1, 1)}, "time zone"),
        ({"started_at": "now"}, "time zone"),
        ({"started_at": datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))}, "year 1"),
        ({"phi": 1.5}, "0 to 1"),
        ({"phi": math.nan}, "None where it is unknown"),
        ({"kuramoto_r": -0.1}, "0 to 1"),
        ({"kuramoto_r": True}, "0 to 1"),
        ({"duration_ms": -1}, "from 0 up"),
        ({"duration_ms": math.inf}, "from 0 up"),
        ({"duration_ms": 10**400}, "beyond"),
        ({"channel_coherence": {"a": math.inf}}, "finite"),
        ({"channel_coherence": 3}, "give a dict"),
        ({"eml_tree": [1]}, "give a dict"),
        ({"step_id": ""}, "printable"),
        ({"step_id": "a\nb"}, "printable"),
        ({"step_id": "a" * 129}, "printable"),
        ({"parent_id": 3}, "printable"),
        ({"step_id": "a", "parent_id": "a"}, "its own"),
    ],
)
def test_values_that_a_step_cannot_have(members: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        step(**members)


def test_numbers_of_numpy_and_other_zones_are_taken() -> None:
    one = step(phi=np.float32(0.5), duration_ms=np.int64(3), kuramoto_r=1, started_at=NOON.astimezone(timezone(timedelta(hours=2))))
    assert (one.phi, one.duration_ms, one.kuramoto_r, one.started_at) == (0.5, 3.0, 1.0, NOON)
    assert one.to_dict()["started_at"] == "2026-01-31T12:00:00+00:00"
    assert (
        Step.from_dict(one.to_dict() | {"started_at": "2026-01-31T14:00:00+02:00"})
        == one
        == Step.from_dict(one.to_dict() | {"started_at": "2026-01-31T12:00:00Z"})
    )
    assert step(action="tool_call").action is ActionType.TOOL_CALL


@pytest.mark.parametrize(
    "told", [None, [], {}, {"action": "reward", "name": "x", "step_id": "1"}, {"action": "reward", "name": "x", "step_id": "1", "started_at": "noon"}]
)
def test_dicts_that_are_no_step(told: Any) -> None:
    with pytest.raises(ValidationError):
        Step.from_dict(told)


@pytest.mark.parametrize(
    "told",
    [None, [], {}, {"chain_id": "a", "steps": 3}, {"chain_id": "", "steps": []}, {"chain_id": "a", "context": 3}, {"chain_id": "a", "steps": [3]}],
)
def test_dicts_that_are_no_chain(told: Any) -> None:
    with pytest.raises(ValidationError):
        InteractionChain.from_dict(told)


# --- values


def test_secrets_go_whatever_holds_them() -> None:
    one = step(
        name=f"call with {KEY}",
        input={"api_key": "open sesame", "n_tokens": 5, KEY: 1, "text": f"use {KEY}", "deep": [{"password": "hunter22"}]},
        output=ValueError(f"refused {KEY}"),
        session_id=KEY,
        eml_tree={"authorization": "x"},
        probe_call={"token": b"swordfish"},
    )
    text = json.dumps(one.to_dict())
    for secret in (KEY, "open sesame", "hunter22", '"x"', "swordfish"):
        assert secret not in text
    assert one.to_dict()["input"]["n_tokens"] == 5 and "ValueError: refused" in one.to_dict()["output"]
    assert KEY in one.input["text"]
    assert KEY not in json.dumps(InteractionChain(context={"env": KEY}).to_dict())
    with pytest.raises(ValidationError) as caught:
        step(action=KEY)
    assert KEY not in str(caught.value)


class Odd:
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Told:
    def to_dict(self) -> dict[str, Any]:
        return {"a": {1}, "b": math.nan}


class Broken:
    def to_dict(self) -> dict[str, Any]:
        raise KeyError("gone")


def test_values_that_json_cannot_hold_become_some_that_it_can() -> None:
    assert plain({"a": math.nan, "b": -math.inf, "c": (1, 2)}) == {"a": None, "b": None, "c": [1, 2]}
    assert plain([NOON, NOON.date(), Path("x"), b"\xff!", ActionType.GATE]) == ["2026-01-31T12:00:00+00:00", "2026-01-31", "x", "\\xff!", "gate"]
    assert plain([np.float32(0.5), np.arange(3), np.array([[math.nan]]), np.int8(1), np.bool_(True)]) == [0.5, [0, 1, 2], [[None]], 1, True]
    assert plain(np.zeros((1000, 1000))) == "an array (1000, 1000)"
    assert plain(Told()) == {"a": [1], "b": None} and plain(Told) == str(Told)
    assert plain(Odd()) == "<Odd: RuntimeError>" and plain(Broken()) == "<Broken: KeyError>"
    assert plain(10**5000) == f"a whole number of {(10**5000).bit_length()} bits" and plain(1j) == "1j"
    assert plain({1: "a", "1": "b"}) == {"1": "a", "1 (1)": "b"}
    assert plain("x" * (MAX_TEXT + 5)).endswith("... (5 more characters)")
    assert plain("x" * (MAX_TEXT - 20) + " " + KEY)[MAX_TEXT - 22 :] == "xx [redacted]... (16 more characters)"


def test_values_that_contain_themselves_end() -> None:
    both: list[Any] = []
    both.extend([both, both, both])
    flat = list(range(2 * MAX_ITEMS))
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    for value in (both, flat, deep, {"a": flat, "b": flat}):
        text = json.dumps(plain(value))
        assert '"..."' in text and len(text) < 40 * MAX_ITEMS
    assert json.dumps(plain(deep)).count("[") == MAX_LEVELS
    while isinstance(deep, list):  # freed from the outside, as freeing it at once would nest as deep
        deep = deep.pop()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner) | st.tuples(inner),
        max_leaves=20,
    )
)
def test_any_value_makes_a_step_that_comes_back(value: Any) -> None:
    one = step(input=value, output=[value], eml_tree={"x": value})
    again = Step.from_dict(json.loads(json.dumps(one.to_dict(), allow_nan=False)))
    assert again.to_dict() == one.to_dict()


def test_errors_are_those_of_this_package() -> None:
    with pytest.raises(EbmhwError) as caught:
        InteractionChain(context=3)  # type: ignore[arg-type]
    assert caught.value.code == "validation"
