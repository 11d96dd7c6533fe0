"""Capabilities: what a backend can take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from ebmhw.errors import DoesNotFit, NotSupported
from ebmhw.program import Program


@final
@dataclass(frozen=True)
class Capabilities:
    """What a backend can take; a program beyond it is refused, never cut off.

    Attributes
    ----------
    units : names of the units present, of "ising" and "phi"
    lanes : chains that run at once in one unit
    max_spins, max_slots : largest program; slots are the spin reads of one row
    coupling_bits, bias_bits : widest signed weights
    rules : update rules, of "gibbs" and "metropolis"
    """

    units: tuple[str, ...]
    lanes: int
    max_spins: int
    max_slots: int
    coupling_bits: int
    bias_bits: int
    rules: tuple[str, ...]

    def refuse(self, program: Program, rule: str, backend: str) -> None:
        """Raise DoesNotFit for a program beyond these, NotSupported for such a rule; ``backend`` is named."""
        if rule not in self.rules:
            raise NotSupported(f"backend {backend!r} has no rule {rule!r}; it has {', '.join(self.rules)}")
        for what, value, limit in (
            ("spins", program.n, self.max_spins),
            ("slots in a row", program.max_slots if self.max_slots < 2**31 else 0, self.max_slots),
            ("coupling bits", program.coupling_bits, self.coupling_bits),
            ("bias bits", program.bias_bits, self.bias_bits),
        ):
            if value > limit:
                raise DoesNotFit(f"the program has {value} {what}, backend {backend!r} takes {limit}; use get_backend('cpu')")
