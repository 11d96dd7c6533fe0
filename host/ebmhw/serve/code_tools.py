"""The tools that run code."""

from __future__ import annotations

from typing import Any

from ebmhw.serve.limits import ServeLimits
from ebmhw.serve.schemas import REPORT, Shared, ToolSpec, arguments

GENERATORS = {
    "int": "integers",
    "float": "finite numbers",
    "pos_int": "integers above 0",
    "string": "texts",
    "list_int": "lists of integers",
    "pair_int": "two integers",
}
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


def code_tools(limits: ServeLimits) -> tuple[ToolSpec, ...]:
    """Return the tools that take a function in Python, with these limits in their schemas."""
    shared = Shared(limits)
    text, seed, certificate = shared.text, shared.seed, shared.certificate
    code = {**text, "description": "Python source."}
    name = {"type": "string", "maxLength": 200, "pattern": r"^[^\W\d]\w*$", "description": "The function to call."}
    return (
        ToolSpec(
            "verify_code",
            "Run Python against test cases",
            "Run a Python function in a sandbox against test cases, and check its source without running it. Every case is a claim.",
            arguments(
                ["code", "func_name", "test_cases"],
                code=code,
                func_name=name,
                test_cases={
                    "type": "array",
                    "minItems": 1,
                    "maxItems": limits.tests,
                    "description": "What it must return: JSON values, or Python literals as text.",
                    "items": arguments(
                        [],
                        args={"type": "array", "description": "Positional arguments."},
                        kwargs={"type": "object", "description": "Arguments by name."},
                        expected={"description": "What is returned; lists are lists, not tuples."},
                        args_literal={**text, "description": "The positional arguments as a Python tuple or list: '((1, 2), {3})'."},
                        expected_literal={**text, "description": "What is returned, as a Python literal."},
                        abs={"type": "number", "minimum": 0, "description": "How far floats in it may lie apart; 0 where left out."},
                        rel={"type": "number", "minimum": 0, "description": "The same as a share of the larger, such as 1e-9."},
                    ),
                },
                certificate=certificate,
            ),
            REPORT,
        ),
        ToolSpec(
            "verify_code_with_pbt",
            "Check Python against its signature, docstring and tests",
            "Check generated Python: statically, by the examples of its docstring or prompt, by properties that follow from them on many inputs, and "
            "by a check() harness where one is given.",
            arguments(
                ["code", "func_name"],
                code=code,
                func_name=name,
                prompt={**text, "type": ["string", "null"], "description": "What was asked for, such as a signature with docstring."},
                official_tests={**text, "type": ["string", "null"], "description": "Test code: check(candidate), or assert statements."},
                seed=seed,
                certificate=certificate,
            ),
            REPORT,
        ),
        ToolSpec(
            "verify_with_properties",
            "Try properties of Python on many inputs",
            "Call a Python function on many generated inputs and check properties of what it returns; a violated one comes with a small input.",
            arguments(
                ["code", "func_name", "properties"],
                code=code,
                func_name=name,
                properties={
                    "type": "array",
                    "minItems": 1,
                    "maxItems": limits.properties,
                    "description": "What must hold: a standard property's name, such as idempotent; Python, def prop(f, x: int): ...; or an object.",
                    "items": {
                        "anyOf": [text, _property(text)],
                    },
                },
                n_samples={
                    "type": "integer",
                    "minimum": 1,
                    "description": "Inputs wanted; up to 100 a property are tried whatever is asked, as n_samples of the answer says.",
                },
                seed=seed,
                certificate=certificate,
            ),
            REPORT,
        ),
    )


def _property(text: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a property of generated inputs and a check."""
    return arguments(
        ["name", "generator", "check"],
        name={"type": "string", "minLength": 1, "maxLength": 200, "description": "What a claim calls it."},
        generator={
            "description": "Inputs: a name, or {type: name}.",
            "anyOf": [{"enum": list(GENERATORS)}, arguments(["type"], type={"enum": list(GENERATORS)})],
        },
        check={
            "description": f"What must hold: {', '.join(CHECKS)}, or a lambda of (result, *inputs), run in the sandbox.",
            "anyOf": [text, arguments(["lambda"], **{"lambda": text})],
        },
    )
