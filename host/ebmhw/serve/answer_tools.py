"""The tools that check answers in words."""

from __future__ import annotations

from typing import Any

from ebmhw.serve.domain_list import OF_ANSWERS
from ebmhw.serve.limits import ServeLimits
from ebmhw.serve.schemas import REPORT, VERDICT, Shared, ToolSpec, answer, arguments


def answer_tools(limits: ServeLimits) -> tuple[ToolSpec, ...]:
    """Return the tools that take answers in words, with these limits in their schemas."""
    shared = Shared(limits)
    text, question, constraints, certificate = shared.text, shared.question, shared.constraints, shared.certificate
    told = "Check only this domain; see list_domains. Left out: every exact one."
    domain = {"type": ["string", "null"], "enum": [*OF_ANSWERS, "programs", None], "description": told}
    of_answers = {**domain, "enum": [*OF_ANSWERS, None]}
    return (
        ToolSpec(
            "verify_llm_output",
            "Check an answer claim by claim",
            "Read the claims of an answer (calculations, dates, logic, code) and judge each. Nothing checked is UNKNOWN, never VERIFIED.",
            arguments(
                ["question", "response"],
                question=question,
                response={**text, "description": "The answer to check."},
                domain=domain,
                constraints=constraints,
                certificate=certificate,
            ),
            REPORT,
        ),
        ToolSpec(
            "verify_and_repair",
            "Check an answer and repair it",
            "Check an answer; where a claim is violated, repair it: exact values, then the smallest change that a search finds, then the server's "
            "language model where it has one. Without one, repair_feedback says what to correct.",
            arguments(
                ["question", "response"],
                question=question,
                response={**text, "description": "The answer to repair."},
                domain=domain,
                constraints=constraints,
                max_repairs={"type": "integer", "minimum": 0, "maximum": 10, "default": 3, "description": "Attempts."},
                certificate=certificate,
            ),
            answer(
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
            "Stops early once the best top_k are VERIFIED and lead the next by early_stop_margin of energy.",
            arguments(
                ["candidates"],
                candidates={
                    "type": "array",
                    "minItems": 1,
                    "maxItems": limits.candidates,
                    "description": "The answers.",
                    "items": arguments(
                        ["question"],
                        id={"type": "string", "maxLength": 200, "description": "What its result is called; its index where left out."},
                        question=question,
                        answer={**text, "description": "The answer to check; may also be called response."},
                        response={**text, "description": "The same as answer; give one of them."},
                    ),
                },
                domain=of_answers,
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
                early_stop_margin={
                    "type": ["number", "null"],
                    "minimum": 0,
                    "maximum": 1000,
                    "description": "Energy by which those must lead the next.",
                },
            ),
            answer(
                ["events", "stream_end"],
                events={"type": "array", "items": {"type": "object", "required": ["id", "index"]}},
                stream_end={"type": "object", "required": ["stop_reason", "stopped_early", "residual_candidates_unscored"]},
            ),
        ),
        ToolSpec(
            "score_agent_outputs",
            "Rank answers of several agents",
            "Rank competing answers to one question by their verdicts, claims, agreement and log-probabilities: the lowest energy is the best. What "
            "was not checked never beats what was verified; ties are told.",
            arguments(
                ["question", "responses"],
                question=question,
                responses={"type": "array", "minItems": 1, "maxItems": limits.candidates, "items": text, "description": "One answer an agent."},
                logprobs={
                    "type": ["array", "null"],
                    "items": {"type": ["number", "null"], "minimum": -1e9, "maximum": 0},
                    "maxItems": limits.candidates,
                    "description": "Mean log-probability a token of each answer, nats; null where unknown.",
                },
            ),
            answer(
                ["winner_index", "winner_response", "winner_energy", "n_agents", "all_scores", "tied"],
                winner_index={"type": "integer"},
                winner_energy={"type": "number"},
                n_agents={"type": "integer"},
                all_scores={"type": "array"},
                tied={"type": "array"},
            ),
        ),
    )


def _budget(whose: str) -> dict[str, Any]:
    return {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1e9, "description": f"Milliseconds of {whose}."}
