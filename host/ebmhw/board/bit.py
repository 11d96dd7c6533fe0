"""The .bit that Vivado writes: what its header says, and the image that the FPGA manager is given of it."""

from __future__ import annotations

import array
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final, final

from ebmhw.errors import FirmwareError

SYNC: Final = bytes.fromhex("000000bb11220044ffffffffffffffffaa995566")
"""Bus width pattern, dummies and sync word, as each .bit of UltraScale+ starts; AMD's platform firmware looks for them (xilfpga)."""

SYNC_WITHIN: Final = 4096
"""Bytes of configuration data that they come within; Vivado puts 64 of dummies before them."""

REMEDY: Final = "copy it again, or build it again (make bitstream)"

_PREAMBLE = bytes.fromhex("00090ff00ff00ff00ff0000001")
_FIELDS = b"abcd"
_WORD = 4


@final
@dataclass(frozen=True)
class Bit:
    """A .bit as Vivado writes it.

    Attributes
    ----------
    design : name of the top module
    options : what else stands beside it, such as "UserID=0XFFFFFFFF" and "Version=2024.1"
    part : FPGA
    made : when; Vivado notes no time zone, UTC is taken
    data : configuration data, big-endian words of 32 bits
    """

    design: str
    options: tuple[str, ...]
    part: str
    made: datetime
    data: bytes

    @property
    def image(self) -> bytes:
        """What the FPGA manager is given: the same words, their bytes in the order of the processor."""
        words = array.array("I", self.data)
        words.byteswap()
        return words.tobytes()


def parse_bit(content: bytes, where: str = "the .bit") -> Bit:
    """Return what is in a .bit: fields a to d, each a letter, a length of 2 bytes and a text that ends with NUL, then e with one of 4 bytes.

    Raises
    ------
    FirmwareError
        It is none, it ends too early or too late, or its configuration data does not start as that of an UltraScale+ device.
    """
    if not content.startswith(_PREAMBLE):
        raise FirmwareError(f"{where} is no .bit of Vivado: it starts with {content[:8].hex() or 'nothing'}; {REMEDY}")
    position, texts = len(_PREAMBLE), []
    for letter in _FIELDS:
        length = int.from_bytes(content[position + 1 : position + 3], "big")
        text = content[position + 3 : position + 3 + length]
        if content[position : position + 1] != bytes((letter,)) or len(text) != length or not text.endswith(b"\0"):
            raise FirmwareError(f"{where} has no field {chr(letter)!r} at byte {position}, where its header has one; {REMEDY}")
        texts.append(text[:-1].decode("ascii", "replace"))
        position += 3 + length
    length = int.from_bytes(content[position + 1 : position + 5], "big")
    data = content[position + 5 :]
    if content[position : position + 1] != b"e" or len(data) != length:
        raise FirmwareError(f"{where} holds {len(data)} bytes of configuration data, its header says {length}: it was cut or joined; {REMEDY}")
    if length % _WORD or data.find(SYNC, 0, SYNC_WITHIN) < 0:
        raise FirmwareError(f"{where} has {length} bytes of configuration data without the sync word of UltraScale+; {REMEDY}")
    design, *options = texts[0].split(";")
    try:
        made = datetime.strptime(f"{texts[2]} {texts[3]}", "%Y/%m/%d %H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        raise FirmwareError(f"{where} says that it was made on {texts[2]!r} at {texts[3]!r}, which is no date; {REMEDY}") from None
    return Bit(design, tuple(options), texts[1], made, data)
