"""``make firmware``: from a bitstream to what a KV260 loads, as folders and as a Debian package."""

from boards.kv260.firmware.build import Firmware, make_firmware
from boards.kv260.firmware.overlay import overlay_source

__all__ = ["Firmware", "make_firmware", "overlay_source"]
