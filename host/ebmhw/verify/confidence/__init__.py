"""confidence: the probability that a response is right, calibrated on pairs whose truth is known, and abstention where it is too low."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.verify.confidence.calibrator import Calibrator, Confidence
    from ebmhw.verify.confidence.evaluation import Bin, Evaluation, Interval, evaluate
    from ebmhw.verify.confidence.examples import Example, example, features
    from ebmhw.verify.confidence.pictures import write_picture
    from ebmhw.verify.confidence.risk import Threshold, threshold_for

_HOMES = {
    "Bin": "evaluation",
    "Calibrator": "calibrator",
    "Confidence": "calibrator",
    "Evaluation": "evaluation",
    "Example": "examples",
    "Interval": "evaluation",
    "Threshold": "risk",
    "evaluate": "evaluation",
    "example": "examples",
    "features": "examples",
    "threshold_for": "risk",
    "write_picture": "pictures",
}

__all__ = [
    "Bin",
    "Calibrator",
    "Confidence",
    "Evaluation",
    "Example",
    "Interval",
    "Threshold",
    "evaluate",
    "example",
    "features",
    "threshold_for",
    "write_picture",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
