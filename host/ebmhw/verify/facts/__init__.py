"""facts: what a text says of the subjects of a user's knowledge file."""

from ebmhw.verify.facts.domain import Facts
from ebmhw.verify.facts.knowledge import Knowledge

__all__ = ["Facts", "Knowledge"]
