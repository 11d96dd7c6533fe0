"""improve: a loop that proposes code, tries it in the sandbox, asks four gates, and learns what passes.

    Objective -> Situation -> Proposal -> Trial -> Gates -> Round -> skill

Energies are computed in the trusted process from what a candidate returns, on instances that nothing was tried on before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.improve.breaker import Breaker
    from ebmhw.improve.budget import Budget
    from ebmhw.improve.loop import Improvement, improve
    from ebmhw.improve.objective import Instance, Objective
    from ebmhw.improve.objectives import AnnealingSchedule, QuarticMinimum
    from ebmhw.improve.pictures import write_picture
    from ebmhw.improve.proposal import Proposal
    from ebmhw.improve.proposers import FunctionProposer, ModelProposer, Situation
    from ebmhw.improve.round import Round

_HOMES = {
    "AnnealingSchedule": "objectives",
    "Breaker": "breaker",
    "Budget": "budget",
    "FunctionProposer": "proposers",
    "Improvement": "loop",
    "Instance": "objective",
    "ModelProposer": "proposers",
    "Objective": "objective",
    "Proposal": "proposal",
    "QuarticMinimum": "objectives",
    "Round": "round",
    "Situation": "proposers",
    "improve": "loop",
    "write_picture": "pictures",
}

__all__ = [
    "AnnealingSchedule",
    "Breaker",
    "Budget",
    "FunctionProposer",
    "Improvement",
    "Instance",
    "ModelProposer",
    "Objective",
    "Proposal",
    "QuarticMinimum",
    "Round",
    "Situation",
    "improve",
    "write_picture",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
