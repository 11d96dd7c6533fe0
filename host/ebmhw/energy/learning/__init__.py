"""learning: couplings learned by contrastive divergence with any backend as the sampler, discriminatively, and by noise-contrastive estimation.

Names are resolved when they are first used: what samples needs numpy and scipy, only `noise_contrastive` needs jax.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.energy.learning.config import LearningConfig
    from ebmhw.energy.learning.exact import Exact
    from ebmhw.energy.learning.importance import Partition, annealed_importance
    from ebmhw.energy.learning.noise import GaussianNoise, UniformNoise
    from ebmhw.energy.learning.noise_estimation import Fitted, NoiseConfig, noise_contrastive
    from ebmhw.energy.learning.objective import Contrast, Likelihood, Objective
    from ebmhw.energy.learning.preference import Preference
    from ebmhw.energy.learning.pseudo import pseudo_log_likelihood, reconstruction_error
    from ebmhw.energy.learning.quality import SampleQuality, sample_quality
    from ebmhw.energy.learning.restricted import Restricted
    from ebmhw.energy.learning.sat import clause_features, hand_written
    from ebmhw.energy.learning.shared import Instance, SharedLikelihood
    from ebmhw.energy.learning.starting import start
    from ebmhw.energy.learning.state import LearningState
    from ebmhw.energy.learning.structure import Structure
    from ebmhw.energy.learning.training import Learned, LearningProgress, learn

_HOMES = {
    "Contrast": "objective",
    "Exact": "exact",
    "Fitted": "noise_estimation",
    "GaussianNoise": "noise",
    "Instance": "shared",
    "Learned": "training",
    "LearningConfig": "config",
    "LearningProgress": "training",
    "LearningState": "state",
    "Likelihood": "objective",
    "NoiseConfig": "noise_estimation",
    "Objective": "objective",
    "Partition": "importance",
    "Preference": "preference",
    "Restricted": "restricted",
    "SampleQuality": "quality",
    "SharedLikelihood": "shared",
    "Structure": "structure",
    "UniformNoise": "noise",
    "annealed_importance": "importance",
    "clause_features": "sat",
    "hand_written": "sat",
    "learn": "training",
    "noise_contrastive": "noise_estimation",
    "pseudo_log_likelihood": "pseudo",
    "reconstruction_error": "pseudo",
    "sample_quality": "quality",
    "start": "starting",
}

__all__ = [
    "Contrast",
    "Exact",
    "Fitted",
    "GaussianNoise",
    "Instance",
    "Learned",
    "LearningConfig",
    "LearningProgress",
    "LearningState",
    "Likelihood",
    "NoiseConfig",
    "Objective",
    "Partition",
    "Preference",
    "Restricted",
    "SampleQuality",
    "SharedLikelihood",
    "Structure",
    "UniformNoise",
    "annealed_importance",
    "clause_features",
    "hand_written",
    "learn",
    "noise_contrastive",
    "pseudo_log_likelihood",
    "reconstruction_error",
    "sample_quality",
    "start",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
