"""SharedModule: a component that is written out once and instantiated often."""

from __future__ import annotations

from typing import final

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In


@final
class SharedModule(wiring.Component):
    """Stands for a component by an instance of a module that the converter writes once.

    Amaranth writes a component anew for each place that it is used in: 64 lanes make 27 MB of RTLIL and take a minute. The design that uses this
    tells the converter what to write, by its attribute ``instances``, a dict of components by module name.

    Parameters
    ----------
    module : name of the module
    signature : of the component. Its clock and reset are those of the domain ``sync`` here; a ``ResetInserter`` does not reach it
    """

    def __init__(self, module: str, signature: wiring.Signature) -> None:
        self._module = module
        super().__init__(signature)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports: dict[str, object] = {"i_clk": ClockSignal(), "i_rst": ResetSignal()}
        for path, member, value in self.signature.flatten(self):
            direction = "i" if member.flow is In else "o"
            ports[f"{direction}_{'_'.join(map(str, path))}"] = Value.cast(value)
        m.submodules.instance = Instance(self._module, **ports)
        return m
