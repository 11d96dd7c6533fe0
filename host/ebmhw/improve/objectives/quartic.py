"""QuarticMinimum: find the lowest point of a x^4 + b x^3 + c x^2 + d x; two wells, so that descent from one place is not enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from ebmhw.errors import VerificationError, shown
from ebmhw.improve.objective import Instance, Objective

_BASELINE = '''def minimum(a, b, c, d):
    """Return an x at which a x**4 + b x**3 + c x**2 + d x is low, by descent from 1."""
    x = 1.0
    for _ in range(20):
        x -= 0.01 * (4 * a * x**3 + 3 * b * x**2 + 2 * c * x + d)
    return x
'''


@final
class QuarticMinimum(Objective):
    """The lowest point of random quartics with a > 0; the energy is the value there above the exact minimum, so that 0 is the best there is."""

    @property
    def name(self) -> str:
        """``quartic-minimum``."""
        return "quartic-minimum"

    @property
    def description(self) -> str:
        """The task in words."""
        return (
            "Write a Python function minimum(a, b, c, d) that returns the number x at which a*x**4 + b*x**3 + c*x**2 + d*x is lowest; a is between "
            "0.5 and 2, b and d between -2 and 2, c between -6 and 2. There may be two wells. The nearer to the lowest value, the better."
        )

    @property
    def entry_point(self) -> str:
        """``minimum``."""
        return "minimum"

    @property
    def baseline(self) -> str:
        """Twenty steps of descent."""
        return _BASELINE

    def instances(self, first: int, count: int) -> Sequence[Instance]:
        """Return quartics number ``first`` on."""
        found = []
        for number in range(first, first + count):
            random = np.random.default_rng([number, 4])
            a, b, c, d = random.uniform((0.5, -2, -6, -2), (2, 2, 2, 2)).tolist()
            turns = np.roots([4 * a, 3 * b, 2 * c, d])
            least = min(_value((a, b, c, d), float(x.real)) for x in turns)
            found.append(Instance((a, b, c, d), least))
        return found

    def energy(self, instance: Instance, answer: Any) -> float:
        """Return the value at the answer above the exact minimum, at least 0."""
        if type(answer) not in (int, float) or not abs(answer) <= 1e6:
            raise VerificationError(f"minimum returned {shown(answer)}; a number of at most a million in size is needed")
        return max(0.0, _value(instance.arguments, float(answer)) - float(instance.about))


def _value(coefficients: tuple[Any, ...], x: float) -> float:
    a, b, c, d = map(float, coefficients)
    return x * (d + x * (c + x * (b + x * a)))
