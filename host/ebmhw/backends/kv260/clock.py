"""The clock of the programmable logic: what the design was timed for, against what runs."""

from __future__ import annotations

import importlib
import logging
from typing import Any, Final

from ebmhw.errors import BoardError

_LOG = logging.getLogger("ebmhw.kv260")

_TOLERANCE: Final = 0.01
"""Share by which a clock may differ: dividers of the PLLs, and PYNQ's idea of the crystal (33.333 MHz), are off by less."""


def set_clock(due: float) -> float | None:
    """Set pl_clk0 to so many MHz where it is not, and return what runs then; None where PYNQ cannot say.

    An overlay that another loader brought may run at the clock of the one before: the kernel takes the device tree's clock for a hint.

    Raises
    ------
    BoardError
        It runs faster than the design was timed for and cannot be set: results would be wrong. A slower one is only slow, and logged.
    """
    try:
        clocks: Any = importlib.import_module("pynq.ps").Clocks
        found = float(clocks.fclk0_mhz)
    except (ImportError, AttributeError, RuntimeError, OSError, ValueError, ZeroDivisionError) as error:
        _LOG.warning("the clock of the programmable logic cannot be read (%s); the design is for %g MHz", error, due)
        return None
    if abs(found - due) <= _TOLERANCE * due:
        return found
    try:
        clocks.fclk0_mhz = due
        now = float(clocks.fclk0_mhz)
        why = f"it reads {now:g} MHz afterwards"
    except (RuntimeError, OSError, ValueError, ZeroDivisionError) as error:
        now, why = found, str(error)
    if now > due * (1 + _TOLERANCE):
        raise BoardError(
            f"backend 'kv260': the programmable logic runs at {now:g} MHz, the design is timed for {due:g} MHz, and the clock cannot be set ({why}); "
            "load it with get_backend('kv260', download=True), or start the board anew"
        )
    level = logging.INFO if abs(now - due) <= _TOLERANCE * due else logging.WARNING
    _LOG.log(level, "the programmable logic ran at %g MHz, now at %g; the design is timed for %g MHz", found, now, due)
    return now
