"""A KV260 without one: the units' own Verilog behind models of what surrounds them on the board, presented to the real ``pynq`` package.

Of the board there are, each a module here: the memory with caches that do not see what the logic writes (`memory`), the AXI DMA engines (`dma`), the
interrupt controller up to the file descriptor of its line (`interrupts`), the processor's registers of clocks (`clocks`), what counts every access
(`counters`), and the address space that ties them together (`fabric`). None of these needs PYNQ. `device` makes a ``pynq.Device`` of it.

What is not modelled: time other than the units' own cycles, what the bits of a bitstream say, and several transfers of one direction making up one
batch: a batch runs once both channels of an engine have a transfer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.errors import BackendUnavailable

if TYPE_CHECKING:
    from ebmhw.board.simulated.device import BoardDevice

__all__ = ["simulated_board"]


def simulated_board(config: str = "kv260", *, threaded: bool = True, base: int | None = None) -> BoardDevice:
    """Return a board for ``get_backend("kv260", device=...)`` and ``pynq.Overlay(..., device=...)``; it becomes PYNQ's active device.

    Parameters
    ----------
    config : "kv260" for the board's units, "small" for a core that runs faster but holds 64 spins only
    threaded : let transfers run in threads, as on silicon; False lets the write that starts one run it too, so that numbers of register accesses
        are the same in every run
    base : physical address of the memory that buffers are from, None for one below 4 GiB

    Raises
    ------
    BackendUnavailable
        PYNQ, the Verilog, Verilator or a C++ compiler is missing.
    """
    from ebmhw.board.simulated.fabric import simulated_fabric
    from ebmhw.board.simulated.memory import BASE

    try:
        from ebmhw.board.simulated.device import make_device
    except ImportError as error:
        raise BackendUnavailable(
            f"a simulated board needs pynq, which does not import ({error}); pip install pynq, or use get_backend('simulated')"
        ) from None
    return make_device(simulated_fabric(config, threaded=threaded, base=BASE if base is None else base))
