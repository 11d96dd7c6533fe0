"""Watchdog: tells when something has been waited for too long."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


@final
class Watchdog(wiring.Component):
    """Counts cycles of waiting.

    Attributes
    ----------
    limit : cycles of waiting that are allowed, 0 for any number; a change counts from the next ``restart`` on
    restart : what was waited for has come
    waiting : this is a cycle of waiting
    expired : as many such cycles as are allowed have passed before this one
    """

    def __init__(self) -> None:
        super().__init__({"limit": In(32), "restart": In(1), "waiting": In(1), "expired": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left, limited = Signal.like(self.limit), Signal()
        with m.If(self.restart):
            m.d.sync += [left.eq(self.limit), limited.eq(self.limit != 0)]
        with m.Elif(self.waiting & ~self.expired):
            m.d.sync += left.eq(left - 1)
        m.d.comb += self.expired.eq(limited & (left == 0))
        return m
