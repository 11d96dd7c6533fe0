"""evaluation: an adapter measured on sessions that it was not trained on, against its base, and over domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.karl.evaluation.domains import CrossDomain, cross_domain, domain_spread, evenness
    from ebmhw.karl.evaluation.evaluation import Evaluation, evaluate
    from ebmhw.karl.evaluation.figures import Estimate, Figures, SessionFigures
    from ebmhw.karl.evaluation.labels import Labels, labels_of
    from ebmhw.karl.evaluation.regressions import Change, Comparison, regression

_HOMES = {
    "Change": "regressions",
    "Comparison": "regressions",
    "CrossDomain": "domains",
    "Estimate": "figures",
    "Evaluation": "evaluation",
    "Figures": "figures",
    "Labels": "labels",
    "SessionFigures": "figures",
    "cross_domain": "domains",
    "domain_spread": "domains",
    "evaluate": "evaluation",
    "evenness": "domains",
    "labels_of": "labels",
    "regression": "regressions",
}

__all__ = [
    "Change",
    "Comparison",
    "CrossDomain",
    "Estimate",
    "Evaluation",
    "Figures",
    "Labels",
    "SessionFigures",
    "cross_domain",
    "domain_spread",
    "evaluate",
    "evenness",
    "labels_of",
    "regression",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
