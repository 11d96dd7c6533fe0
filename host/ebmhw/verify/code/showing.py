"""shown: values as they may stand in a message.

This module runs inside the sandbox as well: it needs the standard library only.
"""

from __future__ import annotations

import re
import reprlib
from typing import Any

LONGEST = 200
"""Characters of a value in a message."""
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class _Repr(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        # Python refuses to write integers of more than 4300 digits in decimal.
        return f"<int of {x.bit_length()} bits>" if x.bit_length() > 10_000 else super().repr_int(x, level)


_repr = _Repr()
_repr.maxlevel, _repr.maxstring, _repr.maxother, _repr.maxlong = 6, LONGEST, LONGEST, LONGEST
for _name in ("maxlist", "maxtuple", "maxdict", "maxset", "maxfrozenset", "maxdeque", "maxarray"):
    setattr(_repr, _name, 20)


def without_addresses(text: str) -> str:
    """Return a text without places in memory, which differ from run to run."""
    return _ADDRESS.sub("", text)


def shown(value: Any) -> str:
    """Return a value as it may stand in a message: on one line, cut, the same in each run."""
    try:
        text = _repr.repr(value)
    except Exception:
        text = f"a {type(value).__name__} that cannot be shown"
    text = without_addresses(" ".join(text.splitlines()))
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def shown_call(name: str, args: Any, kwargs: Any) -> str:
    """Return a call as it is written."""
    parts = [*(shown(value) for value in args), *(f"{key}={shown(value)}" for key, value in kwargs.items())]
    text = f"{name}({', '.join(parts)})"
    return text if len(text) <= 2 * LONGEST else text[: 2 * LONGEST - 3] + "..."
