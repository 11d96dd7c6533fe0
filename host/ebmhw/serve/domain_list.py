"""The domains as clients are told of them."""

from __future__ import annotations

from typing import Any

DOMAINS = {
    "code": "Python in the text: names, arguments, syntax, without running it",
    "execution": "Python run in a sandbox against tests and properties, by the tools that take some",
    "programs": "answers against a constraint program; asked where one is given",
    "dates": "calendar dates, weekdays, spans of time",
    "facts": "statements against a knowledge file; asked where the server was started with one",
    "arithmetic": "equations, comparisons, units, percentages, and answers to questions that can be computed",
    "logic": "conclusions, contradictions, orders, syllogisms",
    "grounding": "numbers from nowhere and given numbers unused; a heuristic, asked only by name",
}
"""What each domain of `ebmhw.verify.domains` checks."""

OF_ANSWERS = tuple(name for name in DOMAINS if name not in ("execution", "programs"))
"""Those that need nothing but question and answer, or what the server was started with."""


def list_domains() -> dict[str, Any]:
    """Return the domains by name, in the order they are asked in, with what each checks."""
    from ebmhw.verify.domains import HEURISTIC, NAMES

    domains = [{"name": name, "description": DOMAINS[name], "heuristic": name in HEURISTIC, "by_default": name not in HEURISTIC} for name in NAMES]
    return {"domains": domains, "n_domains": len(domains)}
