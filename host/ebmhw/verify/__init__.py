"""verify: check what a language model wrote, repair it by constraints, and certify both.

Names are resolved when they are first used: grammars, models and certificates load only where they are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.verify.certificate import check_certificate
    from ebmhw.verify.claim import Claim
    from ebmhw.verify.code.specification import Specification
    from ebmhw.verify.code.verification import verify_code
    from ebmhw.verify.deadline import Deadline
    from ebmhw.verify.domain import Domain, Edit, Judgement, SearchingDomain
    from ebmhw.verify.facts import Knowledge
    from ebmhw.verify.pipeline import VerifyRepairPipeline
    from ebmhw.verify.programs import ConstraintProgram
    from ebmhw.verify.prover import Prover
    from ebmhw.verify.repair import RepairReport
    from ebmhw.verify.report import Report
    from ebmhw.verify.statement import Source, Statement
    from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

_HOMES = {
    "Claim": "claim",
    "ConstraintProgram": "programs",
    "Deadline": "deadline",
    "Domain": "domain",
    "Edit": "domain",
    "Judgement": "domain",
    "Knowledge": "facts",
    "Prover": "prover",
    "RepairReport": "repair",
    "Report": "report",
    "SearchingDomain": "domain",
    "Source": "statement",
    "Specification": "code.specification",
    "Statement": "statement",
    "UNKNOWN": "verdict",
    "VERIFIED": "verdict",
    "VIOLATED": "verdict",
    "VerifyRepairPipeline": "pipeline",
    "check_certificate": "certificate",
    "verify_code": "code.verification",
}

__all__ = [
    "UNKNOWN",
    "VERIFIED",
    "VIOLATED",
    "Claim",
    "ConstraintProgram",
    "Deadline",
    "Domain",
    "Edit",
    "Judgement",
    "Knowledge",
    "Prover",
    "RepairReport",
    "Report",
    "SearchingDomain",
    "Source",
    "Specification",
    "Statement",
    "VerifyRepairPipeline",
    "check_certificate",
    "verify_code",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
