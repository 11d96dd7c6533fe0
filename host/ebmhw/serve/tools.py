"""The nine tools: names, arguments and answers as a client is told of them, and the same as a table."""

from __future__ import annotations

from typing import Any, NamedTuple

from ebmhw.serve.limits import ServeLimits

DOMAINS = {
    "code": "Python in the text: names, arguments, syntax, without running it",
    "execution": "Python in the text run in a sandbox against tests and properties; asked where there are some",
    "programs": "answers against a constraint program; asked where one is given",
    "dates": "calendar dates, weekdays, spans of time",
    "facts": "statements against a knowledge file; asked where the server was started with one",
    "arithmetic": "equations, comparisons, units, percentages, and answers to questions that can be computed",
    "logic": "conclusions, contradictions, orders, syllogisms",
    "grounding": "numbers from nowhere and given numbers unused; a heuristic, asked only by name",
}
"""What each domain of `ebmhw.verify.domains` checks."""


class ToolSpec(NamedTuple):
    """A tool as a client is told of it.

    Attributes
    ----------
    name, title, description : as in MCP
    arguments, answer : JSON Schemas
    quick : True where the server answers at once, without a worker
    """

    name: str
    title: str
    description: str
    arguments: dict[str, Any]
    answer: dict[str, Any]
    quick: bool = False


VERDICT: dict[str, Any] = {"enum": ["VERIFIED", "VIOLATED", "UNKNOWN"]}


def nine_tools(limits: ServeLimits) -> tuple[ToolSpec, ...]:
    """Return the nine tools with these limits in their schemas."""
    text = {"type": "string", "maxLength": limits.characters}
    question = {**text, "description": "What was asked; may be empty."}
    code = {**text, "description": "Python source."}
    name = {"type": "string", "maxLength": 200, "pattern": r"^[^\W\d]\w*$", "description": "The function to call."}
    domain = {
        "type": ["string", "null"],
        "enum": [*DOMAINS, None],
        "description": "Check only this domain; see list_domains. Left out: every exact one.",
    }
    certificate = {"type": "boolean", "default": False, "description": "Also return the certificate, which `ebmhw check` replays."}
    seed = {"type": "integer", "minimum": 0, "maximum": 2**64 - 1, "default": 0, "description": "Of random inputs and searches."}
    constraints = {**text, "type": ["string", "null"], "description": "Constraint program about question and answer."}
    return (
        ToolSpec(
            "verify_code",
            "Run Python against test cases",
            "Run a Python function in a sandbox against test cases, and check its source without running it. Every case is a claim.",
            _arguments(
                ["code", "func_name", "test_cases"],
                code=code,
                func_name=name,
                test_cases={
                    "type": "array",
                    "minItems": 1,
                    "maxItems": limits.tests,
                    "description": "What it must return: JSON values, or Python literals as text.",
                    "items": _arguments(
                        [],
                        args={"type": "array", "description": "Positional arguments."},
                        kwargs={"type": "object", "description": "Arguments by name."},
                        expected={"description": "What is returned; lists are lists, not tuples."},
                        args_literal={**text, "description": "The positional arguments as a Python tuple or list: '((1, 2), {3})'."},
                        expected_literal={**text, "description": "What is returned, as a Python literal."},
                    ),
                },
                certificate=certificate,
            ),
            _REPORT,
        ),
        ToolSpec(
            "verify_code_with_pbt",
            "Check Python against its signature, docstring and tests",
            "Check generated Python: statically, by the examples of its docstring or prompt, by properties that follow from them on many inputs, and "
            "by a check() harness where one is given.",
            _arguments(
                ["code", "func_name"],
                code=code,
                func_name=name,
                prompt={**text, "type": ["string", "null"], "description": "What was asked for, such as a signature with docstring."},
                official_tests={**text, "type": ["string", "null"], "description": "Test code: check(candidate), or assert statements."},
                seed=seed,
                certificate=certificate,
            ),
            _REPORT,
        ),
        ToolSpec(
            "verify_with_properties",
            "Try properties of Python on many inputs",
            "Call a Python function on many generated inputs and check properties of what it returns; a violated one comes with a small input.",
            _arguments(
                ["code", "func_name", "properties"],
                code=code,
                func_name=name,
                properties={
                    "type": "array",
                    "minItems": 1,
                    "maxItems": limits.properties,
                    "description": "What must hold.",
                    "items": _arguments(
                        ["name", "generator", "check"],
                        name={"type": "string", "minLength": 1, "maxLength": 200, "description": "What a claim calls it."},
                        generator={
                            "description": "Inputs: a name, or {type: name}.",
                            "anyOf": [{"enum": list(GENERATORS)}, _arguments(["type"], type={"enum": list(GENERATORS)})],
                        },
                        check={
                            "description": f"What must hold: {', '.join(CHECKS)}, or a lambda of (result, *inputs), run in the sandbox.",
                            "anyOf": [text, _arguments(["lambda"], **{"lambda": text})],
                        },
                    ),
                },
                n_samples={
                    "type": "integer",
                    "minimum": 1,
                    "description": "Inputs wanted; up to 100 a property are tried whatever is asked, as n_samples of the answer says.",
                },
                seed=seed,
                certificate=certificate,
            ),
            _REPORT,
        ),
        ToolSpec(
            "verify_llm_output",
            "Check an answer claim by claim",
            "Read the claims of an answer (calculations, dates, logic, code) and judge each. Nothing checked is UNKNOWN, never VERIFIED.",
            _arguments(
                ["question", "response"],
                question=question,
                response={**text, "description": "The answer to check."},
                domain=domain,
                constraints=constraints,
                certificate=certificate,
            ),
            _REPORT,
        ),
        ToolSpec(
            "verify_and_repair",
            "Check an answer and repair it",
            "Check an answer; where a claim is violated, repair it: exact values, then the smallest change that a search finds, then the server's "
            "language model where it has one. Without one, repair_feedback says what to correct.",
            _arguments(
                ["question", "response"],
                question=question,
                response={**text, "description": "The answer to repair."},
                domain=domain,
                constraints=constraints,
                max_repairs={"type": "integer", "minimum": 0, "maximum": 10, "default": 3, "description": "Attempts."},
                certificate=certificate,
            ),
            _object(
                ["verdict", "verified", "final_answer", "repaired", "attempts"],
                verdict=VERDICT,
                verified={"type": "boolean"},
                final_answer={"type": "string"},
                repaired={"type": "boolean"},
                attempts={"type": "array"},
            ),
        ),
        ToolSpec(
            "verify_stream",
            "Check many answers at once",
            "Check candidate answers beside each other; each is told of as it is done (with a progress token), and all are returned in that order. "
            "Stops early once the best top_k stand out by early_stop_margin of energy.",
            _arguments(
                ["candidates"],
                candidates={
                    "type": "array",
                    "minItems": 1,
                    "maxItems": limits.candidates,
                    "description": "The answers.",
                    "items": _arguments(
                        ["question", "answer"],
                        id={"type": "string", "maxLength": 200, "description": "What its result is called; its index where left out."},
                        question=question,
                        answer={**text, "description": "The answer to check."},
                    ),
                },
                domain=domain,
                budget_ms_total=_budget("all candidates together"),
                budget_ms_per_candidate=_budget("each candidate"),
                max_concurrency={
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 64,
                    "default": 4,
                    "description": "Candidates at once; the server's workers at most.",
                },
                top_k={"type": ["integer", "null"], "minimum": 1, "description": "How many are wanted; goes with early_stop_margin."},
                early_stop_margin={"type": ["number", "null"], "minimum": 0, "description": "Energy by which those must lead the next."},
            ),
            _object(
                ["events", "stream_end"],
                events={"type": "array", "items": {"type": "object", "required": ["id", "index"]}},
                stream_end={"type": "object", "required": ["stop_reason", "stopped_early", "residual_candidates_unscored"]},
            ),
        ),
        ToolSpec(
            "list_domains",
            "What can be checked",
            "List the domains that answers can be checked by, and which are asked where none is named.",
            _arguments([]),
            _object(["domains"], domains={"type": "array"}),
            quick=True,
        ),
        ToolSpec(
            "health_check",
            "Is the server well",
            "Tell version, limits, tools and what the server is at.",
            _arguments([]),
            _object(["status", "version", "tools", "limits"], status={"enum": ["ok", "busy"]}, version={"type": "string"}),
            quick=True,
        ),
        ToolSpec(
            "score_agent_outputs",
            "Rank answers of several agents",
            "Rank competing answers to one question by their verdicts, claims, agreement and log-probabilities: the lowest energy is the best. What "
            "was not checked never beats what was verified; ties are told.",
            _arguments(
                ["question", "responses"],
                question=question,
                responses={"type": "array", "minItems": 1, "maxItems": limits.candidates, "items": text, "description": "One answer an agent."},
                logprobs={
                    "type": ["array", "null"],
                    "items": {"type": ["number", "null"]},
                    "maxItems": limits.candidates,
                    "description": "Mean log-probability a token of each answer, nats; null where unknown.",
                },
            ),
            _object(
                ["winner_index", "winner_response", "winner_energy", "n_agents", "all_scores", "tied"],
                winner_index={"type": "integer"},
                winner_energy={"type": "number"},
                n_agents={"type": "integer"},
                all_scores={"type": "array"},
                tied={"type": "array"},
            ),
        ),
    )


GENERATORS = {"int": "integers", "pos_int": "integers above 0", "string": "texts", "list_int": "lists of integers", "pair_int": "two integers"}
"""Inputs that verify_with_properties makes, by name."""

CHECKS = {
    "returns_int": "lambda result, *inputs: isinstance(result, int)",
    "returns_float": "lambda result, *inputs: isinstance(result, float)",
    "returns_str": "lambda result, *inputs: isinstance(result, str)",
    "returns_list": "lambda result, *inputs: isinstance(result, list)",
    "returns_bool": "lambda result, *inputs: isinstance(result, bool)",
    "non_negative": "lambda result, *inputs: result >= 0",
}
"""Properties that verify_with_properties knows by name, as source that the sandbox runs."""


def _arguments(needed: list[str], **members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": needed, "additionalProperties": False}


def _object(needed: list[str], **members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": needed}


def _budget(whose: str) -> dict[str, Any]:
    return {"type": ["number", "null"], "exclusiveMinimum": 0, "description": f"Milliseconds of {whose}."}


_REPORT = _object(
    ["verdict", "verified", "reason", "claims", "n_claims", "n_violations", "repair_feedback"],
    verdict=VERDICT,
    verified={"type": "boolean"},
    reason={"type": "string"},
    energy={"type": "number"},
    n_claims={"type": "integer"},
    n_violations={"type": "integer"},
    repair_feedback={"type": "string"},
    claims={"type": "array", "items": {"type": "object", "required": ["domain", "kind", "span", "text", "verdict", "reason"]}},
)


def tool_table(limits: ServeLimits | None = None) -> str:
    """Return the tools as a table of Markdown: name, what it does, its arguments with those that may be left out in brackets."""
    rows = ["| Tool | What it does | Arguments |", "| --- | --- | --- |"]
    for tool in nine_tools(ServeLimits() if limits is None else limits):
        needed = tool.arguments["required"]
        told = ", ".join(f"`{name}`" if name in needed else f"[`{name}`]" for name in tool.arguments["properties"])
        rows.append(f"| `{tool.name}` | {tool.description} | {told or 'none'} |")
    return "\n".join(rows)
