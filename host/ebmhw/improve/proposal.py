"""Proposal: code that may be better, and what is claimed of it."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from ebmhw.errors import VerificationError, shown

CODE_LIMIT = 2**16
"""Characters of a candidate's source."""

CLAIM_LIMIT = 32
"""Claims of one proposal, of at most 1,000 characters each."""

_CLAIM_LENGTH, _NAME_LENGTH = 1000, 200
_CLAIM = re.compile(r"^[\s>*#-]*claim\s*\d*\s*:\s*(?P<claim>.+?)\s*$", re.IGNORECASE | re.MULTILINE)


class Proposal(NamedTuple):
    """A candidate.

    Attributes
    ----------
    code : source that defines the objective's entry point
    claims : what is said of it: comparisons of measured figures such as "gain >= 0.05", or sentences (see `ebmhw.improve.claims`); to propose
        code is to claim that it is better
    by : who proposed it
    """

    code: str
    claims: tuple[str, ...] = ("gain > 0",)
    by: str = "a function"

    @property
    def digest(self) -> str:
        """SHA-256 of the code."""
        return digest_of(self.code)


def digest_of(code: str) -> str:
    """Return the SHA-256 of code."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


def proposal_of(value: object, by: str) -> Proposal:
    """Return a proposal, given as one, as (code, claims) or as code.

    Raises
    ------
    VerificationError
        for what is none of these, or longer than the limits.
    """
    if isinstance(value, str):
        made = Proposal(value, by=by)
    elif isinstance(value, tuple) and len(value) in (2, 3) and isinstance(value[0], str) and not isinstance(value[1], str):
        try:
            claims = tuple(value[1])
        except TypeError:
            raise VerificationError(f"claims of a proposal of {by} are {shown(value[1])}; give a list of str") from None
        made = Proposal(value[0], claims, value[2] if len(value) == 3 else by)
    else:
        raise VerificationError(f"{by} proposed {shown(value)}; give code, (code, claims) or a Proposal")
    if not isinstance(made.by, str) or not made.by.isprintable() or len(made.by) > _NAME_LENGTH:
        raise VerificationError(f"{by} says that it is {shown(made.by)}; give a printable name of at most {_NAME_LENGTH} characters")
    strange = next((claim for claim in made.claims if not isinstance(claim, str)), None)
    if strange is not None:
        raise VerificationError(f"a claim of {by} is {shown(strange)}; give a str")
    # As plain str, which subclasses with deeds of their own are not.
    made = Proposal(str.__str__(made.code), tuple(map(str.__str__, made.claims)), str.__str__(made.by))
    if len(made.code) > CODE_LIMIT:
        raise VerificationError(f"the code of {by} has {len(made.code)} characters; a candidate has at most {CODE_LIMIT}")
    if len(made.claims) > CLAIM_LIMIT or any(len(claim) > _CLAIM_LENGTH for claim in made.claims):
        raise VerificationError(f"{by} made {len(made.claims)} claims; give at most {CLAIM_LIMIT}, of at most {_CLAIM_LENGTH} characters each")
    return made


def claims_in(text: str) -> tuple[str, ...]:
    """Return the claims of a model's answer: the lines that begin with "CLAIM:", without quotes and asterisks around them."""
    return tuple(match["claim"].strip("`\"'* ")[:_CLAIM_LENGTH] for match in _CLAIM.finditer(text))[:CLAIM_LIMIT]
