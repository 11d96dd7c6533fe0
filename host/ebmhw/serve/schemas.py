"""JSON Schemas that tools share: of their arguments and of their answers."""

from __future__ import annotations

from typing import Any, NamedTuple, final

from ebmhw.serve.limits import ServeLimits


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


@final
class Shared:
    """Arguments that several tools take.

    Parameters
    ----------
    limits : stand in them
    """

    def __init__(self, limits: ServeLimits) -> None:
        self.text = {"type": "string", "maxLength": limits.characters}
        self.question = {**self.text, "description": "What was asked; may be empty."}
        self.constraints = {**self.text, "type": ["string", "null"], "description": "Constraint program about question and answer."}
        self.certificate = {"type": "boolean", "default": False, "description": "Also return the certificate, which `ebmhw check` replays."}
        self.seed = {"type": "integer", "minimum": 0, "maximum": 2**64 - 1, "default": 0, "description": "Of random inputs and searches."}


def arguments(needed: list[str], **members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": needed, "additionalProperties": False}


def answer(needed: list[str], **members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": needed}


REPORT = answer(
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
