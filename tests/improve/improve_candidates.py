"""Candidates for the quartic objective: good ones, and ones that try to look good."""

from __future__ import annotations

GOOD = """
def minimum(a, b, c, d):
    best = (0.0, 0.0)
    for start in (-3.0, -1.0, 0.5, 1.0, 3.0):
        x = start
        for _ in range(300):
            x -= 0.02 * (4 * a * x**3 + 3 * b * x**2 + 2 * c * x + d) / (1 + abs(12 * a * x * x + 6 * b * x + 2 * c))
        best = min(best, (x * (d + x * (c + x * (b + x * a))), x))
    return best[1]
"""

WORSE = "def minimum(a, b, c, d):\n    return 3.0\n"

HOSTILE = {
    "it has no such function": "def maximum(a, b, c, d):\n    return 0.0\n",
    "it is no Python": "def minimum(:\n",
    "it raises": "def minimum(a, b, c, d):\n    raise ValueError('no idea')\n",
    "it returns text": "def minimum(a, b, c, d):\n    return 'the lowest'\n",
    "it returns NaN": "def minimum(a, b, c, d):\n    return float('nan')\n",
    "it returns an object that is always lowest": """
class Best(float):
    def __mul__(self, other):
        return -1e9

    __rmul__ = __add__ = __radd__ = __mul__


def minimum(a, b, c, d):
    return Best(0.0)
""",
    "it never ends": "def minimum(a, b, c, d):\n    while True:\n        pass\n",
    "it takes all memory": "def minimum(a, b, c, d):\n    return len([0] * 10**10)\n",
    "it exits with success": "import os\n\n\ndef minimum(a, b, c, d):\n    os._exit(0)\n",
    "it floods": "def minimum(a, b, c, d):\n    while True:\n        print('x' * 10000)\n",
    "it forges an answer": """
import os


def minimum(a, b, c, d):
    for handle in range(3, 64):
        try:
            os.write(handle, bytes(64))
        except OSError:
            pass
    return 0.0
""",
}
"""By what they do; none of them has an energy."""
