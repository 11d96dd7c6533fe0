"""Names for what a trace looks like: uniform, noise, ordered, peaked, collapsed, or unknown."""

from __future__ import annotations

from typing import Literal

from ebmhw.coherence.order.index import Dispersion, dispersion
from ebmhw.coherence.trace import CoherenceTrace

Regime = Literal["uniform", "noise", "ordered", "peaked", "collapsed", "unknown"]

REGIMES: tuple[Regime, ...] = ("uniform", "noise", "ordered", "peaked", "collapsed", "unknown")

UNIFORM_PHI = 0.01
"""Below this phi logits are as good as uniform: normal noise of standard deviation .45 reaches it at V = 32,000."""

PEAKED_PHI = 0.9
STEADY, FIXED = 0.1, 0.001
"""Spreads below which certainty hardly changes, and not at all."""

LOOP = 0.5
"""Half of the runs of four tokens occurred before; of 64 tokens of text fewer than a sixth did, in 95 of 100."""


def regime(trace: CoherenceTrace) -> Regime:
    """Return the name of what a trace looks like; "unknown" where its dispersion is.

    See `regime_of`. Of traces of 64 tokens it named right: uniform logits 128 of 128, noise 1006 of 1006, peaked 128 of 128, collapsed 96 %, SmolLM2
    at temperatures to 1.5 138 of 138, at 2 21 of 24, the others as noise (`python -m ebmhw.bench.dispersion --seed 2`). The limits were set on other
    seeds, texts and prompts, but for `LOOP`, which was set with the loops in sight.
    """
    found = dispersion(trace)
    return "unknown" if found is None else regime_of(found)


def regime_of(found: Dispersion) -> Regime:
    """Return the first name that fits.

    uniform : phi below .01
    collapsed : fewer than half of the runs of four tokens are new; or the tokens have an order, but the entropy never changes, as where one
        distribution is drawn from over and over
    peaked : phi .9 or more and hardly any change of it, whatever the tokens are
    noise : no order, that is, the tokens cannot be told from any tokens, or the logits knew nothing of them
    ordered : the rest
    """
    if found.phi < UNIFORM_PHI:
        return "uniform"
    if found.distinct < LOOP:
        return "collapsed"
    if found.phi >= PEAKED_PHI and found.spread < STEADY:
        return "peaked"
    if not found.order:
        return "noise"
    return "collapsed" if found.spread < FIXED else "ordered"
