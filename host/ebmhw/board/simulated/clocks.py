"""The registers of the processor that make the clocks of the programmable logic, as ``pynq.Clocks`` reads and sets them."""

from __future__ import annotations

from typing import Final, final

from ebmhw.board.simulated.misuse import Misuse

LOW_POWER, FULL_POWER = 0xFF5E_0000, 0xFD1A_0000
"""Of the clock controllers of both power domains (UG1087: CRL_APB, CRF_APB)."""

_SIZE: Final = 0x100

CRYSTAL_MHZ: Final = 33.333
"""As PYNQ has it."""

_PLL: Final = 1 << 16 | 60 << 8
"""Sixty times the crystal, halved: 1 GHz."""

_DIVIDED: Final = 1 << 24 | 1 << 16 | 10 << 8
"""On, from the input/output PLL, by 1 and by 10: 100 MHz, as a board starts."""

_AT_START: Final = {
    **{LOW_POWER + offset: _PLL for offset in (0x20, 0x30)},
    **{LOW_POWER + 0xC0 + 4 * number: _DIVIDED for number in range(4)},
    **{FULL_POWER + offset: _PLL for offset in (0x20, 0x2C, 0x38)},
    FULL_POWER + 0x60: 1 << 8,
}


@final
class ClockRegisters:
    """Control registers of PLLs and of the clocks pl_clk0 to pl_clk3."""

    def __init__(self) -> None:
        self._words = dict(_AT_START)

    @staticmethod
    def serves(address: int) -> bool:
        """Return whether an address is one of a clock controller's."""
        return any(base <= address < base + _SIZE for base in (LOW_POWER, FULL_POWER))

    def read(self, address: int) -> int:
        """Return a register."""
        if address not in self._words:
            raise Misuse(f"register {address:#x} of the clock controllers is read, which is no PLL's nor a clock's of the programmable logic")
        return self._words[address]

    def write(self, address: int, word: int) -> None:
        """Write a register."""
        self.read(address)
        self._words[address] = word

    def mhz(self, number: int = 0) -> float:
        """Return the frequency of pl_clk0 to pl_clk3."""
        pll, own = self._words[LOW_POWER + 0x20], self._words[LOW_POWER + 0xC0 + 4 * number]
        return CRYSTAL_MHZ * (pll >> 8 & 0x7F) / (1 + (pll >> 16 & 1)) / (own >> 8 & 0x3F) / (own >> 16 & 0x3F)
