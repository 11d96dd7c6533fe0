"""baselines: rewards against what is usual, and what they are worth.

Advantages, ablation, AUC against verified outcomes, fingerprints, weights of skills, and when to train anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.karl.baselines.areas import AUC, auc, auc_difference, auc_within
    from ebmhw.karl.baselines.domains import Baseline, Baselines, advantages
    from ebmhw.karl.baselines.importance import Ablation, ablation
    from ebmhw.karl.baselines.oversampling import copies
    from ebmhw.karl.baselines.patterns import VECTOR_SIZE, Fingerprint, fingerprint, vector
    from ebmhw.karl.baselines.ranking import midranks, rank_correlation
    from ebmhw.karl.baselines.renewal import Decision, Trained, plasticity
    from ebmhw.karl.baselines.separating import Separation, separation
    from ebmhw.karl.baselines.skills import SkillWeights, skill_weights
    from ebmhw.karl.baselines.spread import Regression, Spread, domain_spread, regression

_HOMES = {
    "AUC": "areas",
    "Ablation": "importance",
    "Baseline": "domains",
    "Baselines": "domains",
    "Decision": "renewal",
    "Fingerprint": "patterns",
    "Regression": "spread",
    "Separation": "separating",
    "SkillWeights": "skills",
    "Spread": "spread",
    "Trained": "renewal",
    "VECTOR_SIZE": "patterns",
    "ablation": "importance",
    "advantages": "domains",
    "auc": "areas",
    "auc_difference": "areas",
    "auc_within": "areas",
    "copies": "oversampling",
    "domain_spread": "spread",
    "fingerprint": "patterns",
    "midranks": "ranking",
    "plasticity": "renewal",
    "rank_correlation": "ranking",
    "regression": "spread",
    "separation": "separating",
    "skill_weights": "skills",
    "vector": "patterns",
}

__all__ = [
    "AUC",
    "VECTOR_SIZE",
    "Ablation",
    "Baseline",
    "Baselines",
    "Decision",
    "Fingerprint",
    "Regression",
    "Separation",
    "SkillWeights",
    "Spread",
    "Trained",
    "ablation",
    "advantages",
    "auc",
    "auc_difference",
    "auc_within",
    "copies",
    "domain_spread",
    "fingerprint",
    "midranks",
    "plasticity",
    "rank_correlation",
    "regression",
    "separation",
    "skill_weights",
    "vector",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
