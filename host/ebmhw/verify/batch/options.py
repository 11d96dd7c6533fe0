"""Options of a batch: all that its verdicts depend on, and the pipeline made of them."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, final

from ebmhw.errors import VerificationError, shown
from ebmhw.numbers import whole
from ebmhw.verify.pipeline import VerifyRepairPipeline

GRACE_SECONDS = 5.0
"""How long beyond its limit a check may take to notice that time is over, before its process is ended."""


@final
@dataclass(frozen=True)
class BatchOptions:
    """How the pairs of a batch are checked.

    Attributes
    ----------
    domains : names of domains, or None for every exact one
    knowledge : text of a knowledge file, or None
    backend : name of the backend for searches, or None for the default
    seed : of searches and of the model's sampling
    limit_seconds : wall-clock limit of one record, checks, repairs and model together, more than 0
    repair : also repair what is violated
    max_repairs : attempts at each
    llm : a name, URL or folder of a language model, or None
    certificates : folder for a certificate of each final answer, or None
    """

    domains: tuple[str, ...] | None = None
    knowledge: str | None = None
    backend: str | None = None
    seed: int = 0
    limit_seconds: float = 60.0
    repair: bool = False
    max_repairs: int = 3
    llm: str | None = None
    certificates: str | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.limit_seconds, (int, float)) and 0 < self.limit_seconds < float("inf")):
            raise VerificationError(f"limit_seconds is {shown(self.limit_seconds)}; give seconds above 0")
        if (number := whole(self.max_repairs)) is None or number < 0:
            raise VerificationError(f"max_repairs is {shown(self.max_repairs)}; give a whole number of at least 0")

    @property
    def check_seconds(self) -> float:
        """Limit of one check: all of the record's, or half where repairs are to have time too."""
        return self.limit_seconds / 2 if self.repair else self.limit_seconds

    def pipeline(self) -> VerifyRepairPipeline:
        """Return the pipeline that does it."""
        knowledge = None
        if self.knowledge is not None:
            from ebmhw.verify.facts import Knowledge

            knowledge = Knowledge.from_text(self.knowledge)
        return VerifyRepairPipeline(self.llm, self.backend, domains=self.domains, knowledge=knowledge, time_limit=self.check_seconds, seed=self.seed)

    def to_json(self) -> dict[str, Any]:
        """Return them as JSON holds them, a knowledge file by its hash."""
        knowledge = None if self.knowledge is None else hashlib.sha256(self.knowledge.encode("utf-8", "surrogatepass")).hexdigest()
        return {**asdict(self), "domains": None if self.domains is None else list(self.domains), "knowledge": knowledge}
