"""Backends: one protocol, the CPU kernel, the golden model, units of the design, and the choice between them.

- `base` is the protocol; `request` has the arguments of a run, checked, `stop` what ends it early, `draws` and `run_info` what it returns.
- `submission` and `run_queue` hold runs that wait for their turn.
- `cpu` and `golden` need no units. `core` is the backend over units: `divided`, `parts` and `joint` cut runs into `jobs`, `fleet` shares these out
  among drivers by `turns`. Drivers (`unit_driver`, `driver`, `phi_driver`) reach their units by a `bus`, and packets are made and read by `codec`,
  `packing`, `reader`, `answers` and those that begin with `phi_`; `identity` looks what a unit is.
- `simulated` and `kv260` are buses with their backends; `auto` takes the CPU or a board, run by run; `choice` is `get_backend`.
"""

from ebmhw.backends.base import SamplerBackend
from ebmhw.backends.capabilities import Capabilities
from ebmhw.backends.choice import BACKEND_NAMES, get_backend
from ebmhw.backends.draws import Draws
from ebmhw.backends.request import Progress

__all__ = ["BACKEND_NAMES", "Capabilities", "Draws", "Progress", "SamplerBackend", "get_backend"]
