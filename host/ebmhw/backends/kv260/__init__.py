"""The board: the design in the programmable logic of a KV260, reached through PYNQ."""

from ebmhw.backends.kv260.backend import Kv260Backend
from ebmhw.backends.kv260.bus import PynqBus
from ebmhw.backends.kv260.files import ENVIRONMENT

__all__ = ["ENVIRONMENT", "Kv260Backend", "PynqBus"]
