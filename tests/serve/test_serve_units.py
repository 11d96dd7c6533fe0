"""Parts of the server by themselves: tools, arguments, worker processes, early stops, what clients send of tests and properties."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from crew_work import start, start_slowly
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import ConfigError, EbmhwError, MissingExtra
from ebmhw.serve import Desk, ServeLimits, cases, nine_tools, tool_table
from ebmhw.serve.arguments import checker
from ebmhw.serve.code_tools import CHECKS, GENERATORS
from ebmhw.serve.crew import AsyncCrew
from ebmhw.serve.refusal import Refusal
from ebmhw.serve.stream import stands_out, stream
from ebmhw.serve.work import SHARE, Answer, Call, own_seconds
from ebmhw.verify.code.properties import read_properties
from ebmhw.verify.streaming.lateness import Limit

README = Path(__file__).parents[2] / "host/ebmhw/serve/README.md"


def test_the_table_of_the_readme_is_the_code_s() -> None:
    assert tool_table() in README.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "value"), [("characters", 0), ("seconds", 0), ("seconds", float("nan")), ("seconds", float("inf")), ("workers", 1.5), ("tests", True)]
)
def test_limits_that_are_none_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"limit '{name}' is"):
        ServeLimits(**{name: value})


def test_schemas_are_schemas_and_hold_the_limits() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    for tool in nine_tools(ServeLimits(characters=7)):
        for schema in (tool.arguments, tool.answer):
            jsonschema.Draft202012Validator.check_schema(schema)
        for member in tool.arguments["properties"].values():
            if member.get("type") == "string" and "pattern" not in member:
                assert member["maxLength"] == 7


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("tool", nine_tools(ServeLimits(characters=20)), ids=lambda tool: tool.name)
def test_any_arguments_are_taken_or_refused_with_a_remedy(tool: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    check, valid = checker(tool), jsonschema.Draft202012Validator(tool.arguments).is_valid
    names = st.sampled_from([*tool.arguments["properties"], "strange"])

    @settings(max_examples=30)
    @given(st.dictionaries(names, JSON, max_size=5))
    def judged(arguments: dict[str, Any]) -> None:
        try:
            taken = check(arguments)
        except Refusal as refusal:
            assert not valid(arguments)
            assert refusal.code in ("invalid-arguments", "too-large")
            assert refusal.remedy and len(refusal.message) < 2000
        else:
            assert valid(arguments)
            assert set(arguments) - {name for name, value in arguments.items() if value is None} <= set(taken)

    judged()


@pytest.mark.parametrize(
    ("one", "said"),
    [
        ({"name": "p", "generator": "complex", "check": "returns_int"}, r'properties\[0\]\.generator is .complex.; give one of "int"'),
        ({"name": "p", "generator": {"type": 1}, "check": "returns_int"}, r"properties\[0\]\.generator\.type is 1; give one of"),
        ({"name": "p", "generator": "int"}, r"properties\[0\] lacks check"),
    ],
)
def test_of_several_forms_the_one_that_was_meant_is_told(one: dict[str, Any], said: str) -> None:
    check = checker(next(tool for tool in nine_tools(ServeLimits()) if tool.name == "verify_with_properties"))
    with pytest.raises(Refusal, match=said):
        check({"code": "", "func_name": "f", "properties": [one]})


def test_refusals_of_errors_of_the_package_end_with_their_remedy() -> None:
    told = Refusal.of(MissingExtra("it needs lark, which is missing: pip install 'ebmhw[verify]'")).to_json()
    assert told == {
        "error": "missing-extra",
        "message": "it needs lark, which is missing: pip install 'ebmhw[verify]'",
        "remedy": "pip install 'ebmhw[verify]'",
    }
    assert Refusal.of(EbmhwError("n is 0; give at least 1")).remedy == "give at least 1"


def test_faults_of_our_own_are_answers_and_no_ends() -> None:
    answer = Desk().do(Call("verify_llm_output", {}, 1.0))
    assert answer.is_error
    assert answer.content["error"] == "internal"
    assert "KeyError" in answer.content["message"]


@given(st.lists(st.floats(0, 4), max_size=6), st.integers(1, 6), st.floats(0, 4))
def test_verified_ones_stand_out_where_the_next_is_far(energies: list[float], most: int, margin: float) -> None:
    verdicts = ["VERIFIED" if energy < 1 else "UNKNOWN" if energy < 3 else "VIOLATED" for energy in energies]
    events: list[dict[str, Any]] = [{"energy": energy, "verdict": verdict} for energy, verdict in zip(energies, verdicts, strict=True)]
    events.append({"error": "timeout", "verdict": "UNKNOWN"})
    ordered = sorted(energies)
    far = len(ordered) > most and ordered[most] - ordered[most - 1] >= margin
    assert stands_out(events, most, margin) == (far and ordered[most - 1] < 1)


def test_energies_mean_the_same_in_every_tool() -> None:
    desk, question = Desk(), "What is 97 + 86?"
    levels = {}
    for response in ("97 + 86 = 183", "97 + 86 = 173", "I do not know.", "97 + 86 = 183, and p is q."):
        given = {"question": question, "response": response, "domain": "arithmetic", "certificate": False}
        told = [
            desk.do(Call("verify_llm_output", given, 60.0)).content,
            desk.do(Call("verify_and_repair", {**given, "max_repairs": 0}, 60.0)).content,
            desk.do(Call("candidate", {"question": question, "answer": response, "domain": "arithmetic"}, 60.0)).content,
        ]
        scored = desk.do(Call("score_agent_outputs", {"question": question, "responses": [response]}, 60.0)).content["all_scores"][0]
        assert len({one["energy"] for one in told}) == 1
        if scored["verdict"] == told[0]["verdict"]:
            assert int(scored["own_energy"]) == int(scored["energy"]) == int(told[0]["energy"])
        levels.setdefault(told[0]["verdict"], []).append(told[0]["energy"])
    assert levels["VERIFIED"] == [0.0] * len(levels["VERIFIED"])
    assert min(levels["UNKNOWN"]) >= 1.0 and min(levels["VIOLATED"]) >= 3.0


def test_an_answer_with_leftovers_has_not_the_energy_of_a_verified_one() -> None:
    response = "97 + 86 = 173, so 173 it is."
    given = {"question": "What is 97 + 86?", "response": response, "domain": "arithmetic", "max_repairs": 3, "certificate": False}
    told = Desk().do(Call("verify_and_repair", given, 60.0)).content
    assert (told["energy"] == 0.0) == (told["verdict"] == "VERIFIED")


def test_time_that_is_over_is_told_of_by_the_name_of_its_limit() -> None:
    late = Limit("budget_ms_total of 1 ms", "give a larger budget_ms_total, or fewer candidates")
    long = {"question": "", "answer": "1 + 1 = 2. " * 5_000, "domain": None, "late": late}
    reason = Desk().do(Call("candidate", long, 0.05)).content["reason"]
    assert reason.count("budget_ms_total of 1 ms") == reason.count("give a larger budget_ms_total") == 1
    assert "time_limit" not in reason
    for tool, texts in (("verify_llm_output", {"response": long["answer"]}), ("score_agent_outputs", {"responses": [long["answer"]]})):
        told = Desk().do(Call(tool, {"question": "", **texts}, 0.05)).content
        reason = told.get("reason") or told["all_scores"][0]["reason"]
        assert reason.count("--time-limit") == 1 and "time_limit" not in reason

    async def judged() -> list[dict[str, Any]]:
        crew: AsyncCrew[Call, Answer] = AsyncCrew(start_slowly, workers=1, waiting=9, seconds=60.0)  # type: ignore[arg-type]

        async def tell(*_: Any) -> None:
            pass

        found = []
        for budget in ("budget_ms_total", "budget_ms_per_candidate"):
            given = {"candidates": [{"question": "", "response": "a"}], "max_concurrency": 1, budget: 1}
            (event,) = (await stream(crew, given, time.monotonic() + 60, tell))["events"]
            found.append(event)
        crew.end()
        return found

    for budget, event in zip(("budget_ms_total", "budget_ms_per_candidate"), asyncio.run(judged()), strict=True):
        assert event["error"] == "timeout"
        assert f"{budget} of 1 ms" in event["message"] and f"larger {budget}" in event["remedy"]


@pytest.mark.parametrize("texts", [{}, {"answer": "a", "response": "b"}])
def test_a_candidate_has_one_answer_by_either_name(texts: dict[str, str]) -> None:
    async def judged() -> None:
        crew: AsyncCrew[Call, Answer] = AsyncCrew(start, workers=1, waiting=1, seconds=60.0)  # type: ignore[arg-type]
        with pytest.raises(Refusal, match=r"candidates\[1\] has"):
            given = [{"question": "", "answer": "a"}, {"question": "", **texts}]
            await stream(crew, {"candidates": given, "max_concurrency": 1}, time.monotonic() + 1, print)  # type: ignore[arg-type]

    asyncio.run(judged())


def test_test_cases_are_json_or_literals() -> None:
    assert (cases.test_case({"args": [1, [2]], "kwargs": {"a": 3}, "expected": [4]}, "x").args, cases.test_case({"expected": 1}, "x").args) == (
        (1, [2]),
        (),
    )
    case = cases.test_case({"args_literal": "((1, 2), {3})", "expected_literal": "b'x'"}, "x")
    assert (case.args, case.expected) == (((1, 2), {3}), b"x")
    near = cases.test_case({"args": [0.1, 0.2], "expected": 0.3, "abs": 1e-9, "rel": 0.5}, "x")
    assert (near.abs, near.rel, case.abs, case.rel) == (1e-9, 0.5, 0.0, 0.0)


def test_properties_may_be_texts() -> None:
    check = checker(next(tool for tool in nine_tools(ServeLimits()) if tool.name == "verify_with_properties"))
    texts = ["idempotent", "def prop(f, x: int):\n    assert f(x) == x\n"]
    given = check({"code": "", "func_name": "f", "properties": [*texts, {"name": "p", "generator": "float", "check": "returns_float"}]})
    found = cases.properties(given["properties"])
    assert found[:2] == texts
    assert [read_properties(text, {"x": "st.integers()"})[0].name for text in found][0::2] == ["idempotent", "p"]


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ({"args": [1]}, "lacks expected"),
        ({"args": [], "args_literal": "()", "expected": 1}, "both"),
        ({"args_literal": "1", "expected": 1}, "no tuple or list"),
        ({"args_literal": "__import__('os')", "expected": 1}, "no Python literal"),
        ({"expected_literal": "(" * 500}, "no Python literal"),
        ({"expected_literal": "\0"}, "no Python literal"),
    ],
)
def test_test_cases_that_are_none_are_refused(case: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal, match=said):
        cases.test_case(case, "test_cases[0]")


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("check", [*CHECKS, "lambda result, *x: result == x[0]"])
def test_properties_become_source_that_asserts_the_check(generator: str, check: str) -> None:
    name = 'it\'s "so"\n'
    (text,) = cases.properties([{"name": name, "generator": {"type": generator}, "check": check}])
    (read,) = read_properties(text, {})
    assert read.name == name
    called: dict[str, Any] = {}
    exec(read.source, called)
    inputs = list(range(1, 1 + len(read.given)))
    good = {"returns_float": 1.0, "returns_str": "1", "returns_list": [1], "returns_bool": True}.get(check, 1)
    called["prop"](lambda *x: good, *inputs)
    with pytest.raises((AssertionError, TypeError)):
        called["prop"](lambda *x: -1j, *inputs)


@pytest.mark.parametrize("check", ["1", "exit()", "lambda: 0; 1", "def f(): pass", "lambda x: (", "\0", "(" * 1000])
def test_checks_that_are_no_lambda_are_refused(check: str) -> None:
    with pytest.raises(Refusal, match=r"properties\[0\]\.check is no"):
        cases.properties([{"name": "p", "generator": "int", "check": check}])


def test_a_crew_survives_what_hangs_and_what_dies() -> None:
    async def judged() -> None:
        crew: AsyncCrew[str, str] = AsyncCrew(start, workers=1, waiting=1, seconds=60.0)

        async def do(task: str, seconds: float = 60.0) -> str:
            return await crew.do(lambda left: task, time.monotonic() + seconds)

        async def refused(task: str, seconds: float = 60.0) -> str:
            with pytest.raises(Refusal) as caught:
                await do(task, seconds)
            return caught.value.code

        first = await do("a")
        assert await do("a") == first, "one process does both"
        assert await refused("hang", 0.3) == "timeout"
        second = await do("a")
        assert second != first, "the process that hung is gone"
        with pytest.raises(ProcessLookupError):
            os.kill(int(first.rpartition(" ")[2]), 0)
        assert await refused("die") == "worker-lost"

        hanging = asyncio.ensure_future(do("hang"))
        while not crew.busy:
            await asyncio.sleep(0.001)
        waiting = asyncio.ensure_future(refused("late", 1.0))
        await asyncio.sleep(0.05)
        assert (crew.busy, crew.waiting, crew.full) == (1, 1, True)
        assert await refused("b") == "busy"
        assert await waiting == "timeout"
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
        assert (crew.busy, crew.waiting) == (0, 0)
        assert (await do("b")).startswith("b by ")
        crew.end()

    asyncio.run(judged())


def test_workers_that_cannot_serve_are_replaced_or_waited_for() -> None:
    async def judged() -> None:
        crew: AsyncCrew[str, str] = AsyncCrew(start_slowly, workers=1, waiting=1, seconds=60.0)
        with pytest.raises(Refusal) as caught:
            await crew.do(lambda left: "a", time.monotonic() + 0.05)
        assert caught.value.to_json()["seconds"] == 0.05
        assert "within 0.05 s" in caught.value.message
        # The same worker, which has started meanwhile: one that were ended with each call would never serve a client with so short a limit.
        (waiting,) = crew._idle
        first = await crew.do(lambda left: "a", time.monotonic() + 60)
        assert crew._idle[0][0] is waiting[0]
        os.kill(int(first.rpartition(" ")[2]), signal.SIGKILL)
        while not waiting[0].answers.poll():
            await asyncio.sleep(0.01)
        second = await crew.do(lambda left: "a", time.monotonic() + 60)
        assert second != first, "a worker that died before the call is no fault of the call"
        crew.end()

    asyncio.run(judged())


def test_a_free_worker_is_found_free_where_no_time_is_left() -> None:
    async def judged() -> None:
        crew: AsyncCrew[str, str] = AsyncCrew(start, workers=1, waiting=1, seconds=60.0)
        with pytest.raises(Refusal, match="did not end within 0 s"):
            await crew.do(lambda left: "a", time.monotonic() - 1)
        crew.end()

    asyncio.run(judged())


def test_a_system_that_allows_no_more_processes_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*arguments: Any) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("ebmhw.serve.crew.Worker.__init__", none)

    async def judged() -> None:
        crew: AsyncCrew[str, str] = AsyncCrew(start, workers=1, waiting=1, seconds=60.0)
        crew.hire_ahead()
        with pytest.raises(Refusal, match="could be started: Too many open files") as caught:
            await crew.do(lambda left: "a", time.monotonic() + 60)
        assert caught.value.code == "worker-lost"
        assert (crew.busy, crew.waiting) == (0, 0)

    asyncio.run(judged())


@pytest.mark.parametrize("limit", [1, 2, 7, 20, 30])
def test_a_moment_s_wait_does_not_change_the_time_that_reasons_name(limit: int) -> None:
    part = own_seconds(SHARE * (limit - 0.001))
    assert own_seconds(SHARE * (limit - 0.02)) == part
    assert 0.15 * limit < part <= limit / 4


def test_a_backend_that_does_not_exist_is_an_answer() -> None:
    question = "Amy is older than Ben. Ben is older than Carl."
    told = Desk(backend="abacus").do(Call("verify_and_repair", {"question": question, "response": "Carl is older than Amy.", **REPAIRS}, 60.0))
    assert "abacus" in str(told.content) or told.content["verdict"] == "VIOLATED"
    assert told.content.get("error") != "internal"


REPAIRS = {"max_repairs": 3, "certificate": False}
