"""Spread and regression: whether what was measured on held-out sessions holds in every domain, and whether it fell."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ebmhw.errors import ValidationError, shown

GOOD_SPREAD = 0.15
"""Difference between the best and the worst domain below which results hold everywhere, by the KARL paper's evaluator."""

WEAK = 2.0
"""Deviations below the mean of all at which a domain is weak."""

FALL = 0.02
"""Fall of the mean above which a new adapter is worse."""

_DIGITS = 9
"""Of a comparison with a limit: .40 - .38 is .02 and no more, whatever binary fractions make of it."""


class Spread(NamedTuple):
    """How a figure varies between domains.

    Attributes
    ----------
    mean, deviation : of all values (population); None without values
    means : {domain: mean}, of domains with values
    counts : {domain: values}
    spread : largest less smallest domain mean; None without values
    weak : domains whose mean is below mean - 2 deviations
    missing : domains that were expected and have no value
    good : spread < 0.15 and no weak domain; None without values
    """

    mean: float | None
    deviation: float | None
    means: Mapping[str, float]
    counts: Mapping[str, int]
    spread: float | None
    weak: tuple[str, ...]
    missing: tuple[str, ...]
    good: bool | None


class Regression(NamedTuple):
    """A figure before and after.

    Attributes
    ----------
    before, after : means; None where there is nothing to take one of
    change : after less before; None where either is not known
    regressed : whether it fell by more than the limit; None where that is not known
    """

    before: float | None
    after: float | None
    change: float | None
    regressed: bool | None


def domain_spread(values: Mapping[str, Sequence[float | None]], expected: Collection[str] = (), *, limit: float = GOOD_SPREAD) -> Spread:
    """Return how a figure, the larger the better, varies between domains.

    Parameters
    ----------
    values : {domain: values of its held-out sessions}; None where unknown, which are left out
    expected : domains that should be there (those of the training set)
    limit : spread from which on results do not hold everywhere
    """
    known = {domain: _known(numbers, domain) for domain, numbers in values.items()}
    known = {domain: numbers for domain, numbers in known.items() if numbers}
    missing = tuple(sorted(domain for domain in {*expected, *values} if domain not in known))
    every = [number for numbers in known.values() for number in numbers]
    if not every:
        return Spread(None, None, {}, {}, None, (), missing, None)
    mean = math.fsum(every) / len(every)
    deviation = math.sqrt(math.fsum((number - mean) ** 2 for number in every) / len(every))
    means = {domain: math.fsum(numbers) / len(numbers) for domain, numbers in known.items()}
    # One domain's mean differs from that of all by rounding; that makes it not weak.
    weak = tuple(domain for domain, own in means.items() if own < mean - WEAK * deviation - 1e-12)
    spread = max(means.values()) - min(means.values())
    counts = {domain: len(numbers) for domain, numbers in known.items()}
    return Spread(mean, deviation, means, counts, spread, weak, missing, not weak and round(spread - limit, _DIGITS) < 0)


def regression(before: float | Sequence[float | None] | None, after: float | Sequence[float | None] | None, *, limit: float = FALL) -> Regression:
    """Return whether a figure, the larger the better, fell by more than ``limit``.

    Parameters
    ----------
    before, after : the figure, or values of the same held-out sessions of which it is the mean; unknown ones (None) are left out
    """
    first, second = _mean(before, "before"), _mean(after, "after")
    if first is None or second is None:
        return Regression(first, second, None, None)
    return Regression(first, second, second - first, round(first - second - limit, _DIGITS) > 0)


def _mean(value: float | Sequence[float | None] | None, name: str) -> float | None:
    numbers = _known([value] if value is None or isinstance(value, (int, float)) else value, name)
    return math.fsum(numbers) / len(numbers) if numbers else None


def _known(values: Sequence[float | None], name: str) -> list[float]:
    found = []
    for value in values:
        if value is None:
            continue
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise ValidationError(f"a value of {name} is {shown(value)}; give finite numbers, None where one is not known")
        found.append(number)
    return found
