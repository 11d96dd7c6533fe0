"""The server as a client of the mcp library sees it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import ebmhw
from ebmhw.serve import ServeLimits, nine_tools
from ebmhw.serve.domain_list import DOMAINS
from ebmhw.verify import VerifyRepairPipeline, check_certificate
from ebmhw.verify.domains import NAMES
from ebmhw.verify.scoring import score_outputs

pytest.importorskip("mcp")

NINE = {
    "verify_code",
    "verify_code_with_pbt",
    "verify_with_properties",
    "verify_llm_output",
    "verify_and_repair",
    "verify_stream",
    "list_domains",
    "health_check",
    "score_agent_outputs",
}

QUESTION, WRONG, RIGHT = "What is 97 + 86?", "97 + 86 = 173, and 2 + 2 = 4.", "97 + 86 = 183, and 2 + 2 = 4."


class Session:
    """A session of the library's client, called from a thread that has no event loop."""

    def __init__(self, portal: Any, session: Any, greeting: Any) -> None:
        self._portal, self._session, self.greeting = portal, session, greeting

    def listed(self) -> list[Any]:
        return list(self._portal.call(self._session.list_tools).tools)

    def result(self, tool: str, progress: Any = None, **arguments: Any) -> Any:
        return self._portal.call(lambda: self._session.call_tool(tool, arguments, progress_callback=progress))

    def __call__(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = self.result(tool, **arguments)
        assert not result.is_error, result.structured_content
        assert json.loads(result.content[0].text) == result.structured_content
        return dict(result.structured_content)

    def refused(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = self.result(tool, **arguments)
        assert result.is_error
        return dict(result.structured_content)

    def at_once(self, calls: list[tuple[str, dict[str, Any]]]) -> list[Any]:
        futures = [self._portal.start_task_soon(lambda call=call: self._session.call_tool(*call)) for call in calls]
        return [future.result(60) for future in futures]

    def cancelled(self, tool: str, seconds: float, **arguments: Any) -> None:
        import anyio

        async def for_a_while() -> None:
            with anyio.move_on_after(seconds) as scope:
                await self._session.call_tool(tool, arguments)
            assert scope.cancelled_caught

        self._portal.call(for_a_while)


@asynccontextmanager
async def _connected(options: list[str]) -> Any:
    from mcp import ClientSession, StdioServerParameters, stdio_client

    environment = {name: value for name, value in os.environ.items() if name != "EBMHW_BACKEND"}
    parameters = StdioServerParameters(command=sys.executable, args=["-m", "ebmhw", "serve", *options], env=environment)
    with open(os.devnull, "w") as quiet:
        async with stdio_client(parameters, quiet) as streams, ClientSession(*streams) as session:
            yield session, await session.initialize()


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    from anyio.from_thread import start_blocking_portal

    with start_blocking_portal() as portal:
        connection: AbstractContextManager[Any] = portal.wrap_async_context_manager(_connected(["--workers", "2", "--time-limit", "40"]))
        with connection as (client, greeting):
            yield Session(portal, client, greeting)


def test_the_server_says_who_it_is_and_offers_exactly_the_nine_tools(session: Session) -> None:
    assert (session.greeting.server_info.name, session.greeting.server_info.version) == ("ebmhw", ebmhw.__version__)
    offered = session.listed()
    assert {tool.name for tool in offered} == NINE
    assert len(offered) == 9
    expected = {tool.name: tool for tool in nine_tools(ServeLimits())}
    for tool in offered:
        assert tool.input_schema == expected[tool.name].arguments
        assert tool.description and tool.annotations.read_only_hint
        for member in tool.input_schema["properties"].values():
            assert member["description"]


def test_health_tells_version_limits_and_tools(session: Session) -> None:
    told = session("health_check")
    assert told["status"] == "ok"
    assert told["version"] == ebmhw.__version__
    assert set(told["tools"]) == NINE
    assert told["limits"]["characters"] == 10_000
    assert told["limits"]["seconds"] == 40.0


def test_domains_are_those_of_the_package(session: Session) -> None:
    told = session("list_domains")
    assert [domain["name"] for domain in told["domains"]] == list(NAMES)
    assert set(DOMAINS) == set(NAMES)
    assert [domain["name"] for domain in told["domains"] if domain["heuristic"]] == ["grounding"]


@pytest.mark.parametrize("response", [WRONG, RIGHT, "I do not know.", ""])
def test_verdicts_are_those_of_the_pipeline(session: Session, response: str) -> None:
    expected = VerifyRepairPipeline(domains=["arithmetic"]).verify(QUESTION, response)
    told = session("verify_llm_output", question=QUESTION, response=response, domain="arithmetic")
    assert (told["verdict"], told["verified"], told["reason"]) == (expected.verdict, expected.verified, expected.reason)
    assert told["claims"] == json.loads(json.dumps([claim.to_json() for claim in expected.claims]))
    assert told["n_violations"] == len(expected.violations)
    assert bool(told["repair_feedback"]) == bool(expected.violations or expected.open_goals)


def test_a_certificate_can_be_had_and_replayed(session: Session) -> None:
    told = session("verify_llm_output", question=QUESTION, response=RIGHT, domain="arithmetic", certificate=True)
    assert check_certificate(told["certificate"], QUESTION, RIGHT) == "VERIFIED"


def test_violated_claims_are_sent_before_others(session: Session) -> None:
    response = "2 + 2 = 4. " * 300 + "2 + 2 = 5."
    told = session("verify_llm_output", question="", response=response, domain="arithmetic")
    assert told["n_claims"] == 301
    assert len(told["claims"]) == 200
    assert told["claims_left_out"] == 101
    assert [claim["verdict"] for claim in told["claims"]].count("VIOLATED") == told["n_violations"] == 1


def test_repairs_without_a_model_are_exact(session: Session) -> None:
    told = session("verify_and_repair", question=QUESTION, response=WRONG, domain="arithmetic")
    assert told["final_answer"] == RIGHT
    assert told["verdict"] == "VERIFIED"
    assert told["repaired"] is True
    assert told["initial"]["verdict"] == "VIOLATED"
    assert [attempt["method"] for attempt in told["attempts"]] == ["exact"]
    told = session("verify_and_repair", question=QUESTION, response=WRONG, domain="arithmetic", max_repairs=0)
    assert (told["final_answer"], told["verdict"], told["repaired"]) == (WRONG, "VIOLATED", False)


def test_scores_are_those_of_the_package(session: Session) -> None:
    responses = ["The answer is 173.", "I do not know.", "The answer is 183.", "97 + 86 = 183"]
    expected = score_outputs(QUESTION, responses, logprobs=[-0.1, None, -0.5, -0.2])
    told = session("score_agent_outputs", question=QUESTION, responses=responses, logprobs=[-0.1, None, -0.5, -0.2])
    assert told["winner_index"] == expected.best.index == 3
    assert [(one["agent_index"], one["energy"], one["verdict"]) for one in told["all_scores"]] == [
        (one.index, one.energy, one.verdict) for one in expected.ranked
    ]
    assert session.refused("score_agent_outputs", question="", responses=["a", "b"], logprobs=[0.0])["error"] == "verification"


def test_candidates_are_told_of_as_they_are_done(session: Session) -> None:
    seen: list[tuple[float, float | None, str | None]] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        seen.append((done, total, message))

    candidates = [{"id": f"c{sum_}", "question": "", "answer": f"2 + 2 = {sum_}"} for sum_ in range(8)]
    result = session.result("verify_stream", progress, candidates=candidates, domain="arithmetic")
    told = result.structured_content
    assert [event["order"] for event in told["events"]] == list(range(8))
    assert {event["id"] for event in told["events"]} == {candidate["id"] for candidate in candidates}
    assert {event["id"] for event in told["events"] if event["verdict"] == "VERIFIED"} == {"c4"}
    assert told["stream_end"]["stop_reason"] == "completed"
    assert told["stream_end"]["residual_candidates_unscored"] == 0
    assert sorted(seen) == [(index + 1.0, 8.0, f"{event['id']}: {event['verdict']}") for index, event in enumerate(told["events"])]


def test_a_stream_stops_once_the_best_stand_out(session: Session) -> None:
    candidates = [{"question": "", "answer": "2 + 2 = 4"}] + [{"question": "", "answer": "2 + 2 = 5"}] * 30
    told = session("verify_stream", candidates=candidates, domain="arithmetic", max_concurrency=1, top_k=1, early_stop_margin=2.0)
    assert told["stream_end"]["stop_reason"] == "early_stop_margin"
    assert len(told["events"]) == 2
    assert told["stream_end"]["residual_candidates_unscored"] == 29


def test_a_stream_goes_on_until_the_best_are_verified(session: Session) -> None:
    candidates = [{"question": "", "response": text} for text in ("2 + 2 = 5", "Who knows?", "2 + 2 = 5", "2 + 2 = 4")]
    told = session("verify_stream", candidates=candidates, domain="arithmetic", max_concurrency=1, top_k=1, early_stop_margin=0.5)
    assert [event["verdict"] for event in told["events"]].count("VERIFIED") == 1
    assert told["stream_end"]["residual_candidates_unscored"] == 0


def test_a_stream_ends_with_its_budget(session: Session) -> None:
    candidates = [{"question": "", "answer": "2 + 2 = 4"}] * 64
    told = session("verify_stream", candidates=candidates, domain="arithmetic", budget_ms_total=1.0)
    assert told["stream_end"]["stop_reason"] == "budget_ms_total"
    assert told["stream_end"]["residual_candidates_unscored"] > 0
    assert {event["verdict"] for event in told["events"] if "error" in event} == {"UNKNOWN"}
    assert {event["remedy"] for event in told["events"] if event.get("error") == "timeout"} == {"give a larger budget_ms_total, or fewer candidates"}
    assert session("health_check")["calls_at_work"] == 0


def test_calls_beside_each_other_do_not_mix(session: Session) -> None:
    calls = [("verify_llm_output", {"question": "", "response": f"{left} + 1 = {left + 1 + left % 2}", "domain": "arithmetic"}) for left in range(40)]
    verdicts = [result.structured_content["verdict"] for result in session.at_once(calls)]
    assert verdicts == ["VIOLATED" if left % 2 else "VERIFIED" for left in range(40)]


def test_many_calls_at_once_are_done_or_refused(session: Session) -> None:
    call = ("verify_llm_output", {"question": "", "response": "1 + 1 = 2. " * 50, "domain": "arithmetic"})
    results = [result.structured_content for result in session.at_once([call] * 100)]
    assert {told.get("verdict", told.get("error")) for told in results} <= {"VERIFIED", "busy"}
    assert sum("verdict" in told for told in results) >= 66
    assert session("health_check")["status"] == "ok"


def test_the_client_can_cancel(session: Session) -> None:
    arguments = {"candidates": [{"question": "", "answer": "1 + 1 = 2. " * 800}] * 64, "domain": "arithmetic"}
    session.cancelled("verify_stream", 0.2, **arguments)
    assert session("verify_llm_output", question="", response="2 + 2 = 4", domain="arithmetic")["verified"]
    assert session("health_check")["calls_waiting"] == 0


runs = pytest.mark.confined


@runs
def test_code_is_run_against_test_cases(session: Session) -> None:
    code = "def add(a, b):\n    return a + b\n"
    cases = [
        {"args": [1, 2], "expected": 3},
        {"args_literal": "((1,), (2,))", "expected_literal": "(1, 2)"},
        {"args": [[1], [2]], "expected_literal": "(1, 2)"},
    ]
    told = session("verify_code", code=code, func_name="add", test_cases=cases[:2], certificate=True)
    assert (told["verdict"], told["n_passed"], told["n_failed"], told["n_total"]) == ("VERIFIED", 2, 0, 2)
    assert check_certificate(told["certificate"], "", code) == "VERIFIED"
    floats = [{"args": [0.1, 0.2], "expected": 0.3, "rel": 1e-9}]
    assert session("verify_code", code=code, func_name="add", test_cases=floats)["verdict"] == "VERIFIED"
    told = session("verify_code", code=code, func_name="add", test_cases=cases)
    assert (told["verdict"], told["n_passed"], told["n_failed"], told["n_total"]) == ("VIOLATED", 2, 1, 3)
    assert "[1, 2]" in told["repair_feedback"]


@pytest.mark.slow  # the quarter of a call's time that code gets
@runs
def test_code_that_hangs_is_violated_and_ends(session: Session) -> None:
    told = session("verify_code", code="def f():\n    while True: pass\n", func_name="f", test_cases=[{"expected": 1}])
    assert (told["verdict"], told["n_failed"]) == ("VIOLATED", 1)


@runs
def test_code_is_checked_by_its_prompt_and_official_tests(session: Session) -> None:
    prompt = 'def twice(n):\n    """Return n doubled.\n\n    >>> twice(2)\n    4\n    """\n'
    given = {"func_name": "twice", "prompt": prompt}
    right, wrong = "def twice(n):\n    return 2 * n\n", "def twice(n):\n    return n ** 3 - 4 * n + 4\n"
    checks = "def check(candidate):\n    assert candidate(3) == 6\n"
    assert session("verify_code_with_pbt", code=right, official_tests=checks, **given)["n_failed"] == 0
    assert session("verify_code_with_pbt", code=wrong, official_tests=checks, **given)["verdict"] == "VIOLATED"


@runs
def test_properties_are_tried_in_the_sandbox_only(session: Session, tmp_path: Path) -> None:
    evil = f"lambda result, a: open({str(tmp_path / 'evil')!r}, 'w') and True"
    rules = [
        {"name": "not negative", "generator": "pos_int", "check": "non_negative"},
        {"name": "doubled", "generator": "int", "check": "lambda result, a: result == 2 * a"},
        {"name": "evil", "generator": {"type": "int"}, "check": {"lambda": evil}},
    ]
    told = session("verify_with_properties", code="def f(a):\n    return 2 * a if a < 90 else -1\n", func_name="f", properties=rules)
    assert told["verdict"] == "VIOLATED"
    verdicts = {claim["content"].get("name", claim["reason"]): claim["verdict"] for claim in told["claims"] if claim["kind"] == "property"}
    assert [verdict for name, verdict in verdicts.items() if name.startswith(("not negative", "doubled"))] == ["VIOLATED"] * 2
    assert not (tmp_path / "evil").exists()


@runs
def test_folders_of_the_machine_are_not_told(session: Session) -> None:
    for text in ("import os\nraise RuntimeError(os.__file__)\n", "import os\ndef f():\n    return os.getcwd()\n"):
        told = session("verify_code", code=text, func_name="f", test_cases=[{"expected": 1}], certificate=True)
        assert told["verdict"] == "VIOLATED"
        certificate = told.pop("certificate")
        said = json.dumps(told)
        assert "[python]" in said or "[scratch]" in said
        assert os.path.dirname(os.__file__) not in said and "ebmhw-sandbox" not in said
        assert any(folder in json.dumps(certificate) for folder in (os.path.dirname(os.__file__), "ebmhw-sandbox"))


@runs
def test_feedback_about_code_asks_for_code(session: Session) -> None:
    told = session("verify_code_with_pbt", code="", func_name="f")
    assert told["verdict"] == "UNKNOWN"
    assert "one block" in told["repair_feedback"]


def test_errors_say_what_is_wrong_and_what_to_do(session: Session) -> None:
    told = session.refused("verify_llm_output", question="x" * 10_001, response="")
    assert told == {
        "error": "too-large",
        "message": "question has 10001 characters; up to 10000 are taken",
        "remedy": "send less, or split it",
        "argument": "question",
        "limit": 10_000,
    }
    assert session("verify_llm_output", question="x" * 10_000, response="", domain="arithmetic")["verdict"] == "UNKNOWN"
    secret = "sk-" + "a1" * 16
    assert secret not in json.dumps(session.refused("verify_llm_output", question="", response="", domain=secret))
    told = session.refused("verify_llm_output", question="", response="", domain="facts")
    assert told["error"] == "verification"
    assert "knowledge" in told["message"]


@runs
def test_properties_are_taken_by_name_and_as_python(session: Session) -> None:
    rules = ["idempotent", "def prop(f, x: int):\n    assert f(x) >= x\n", {"name": "float", "generator": "float", "check": "returns_float"}]
    told = session("verify_with_properties", code="def f(x: int) -> int:\n    return abs(x)\n", func_name="f", properties=rules)
    assert (told["verdict"], told["n_failed"]) == ("VERIFIED", 0)
    told = session("verify_with_properties", code="def f(x: int) -> int:\n    return x - 1\n", func_name="f", properties=rules[:2])
    assert (told["verdict"], told["n_failed"]) == ("VIOLATED", 2)
    assert session.refused("verify_with_properties", code="def f(x): return x", func_name="f", properties=["no such"])["error"] == "verification"
