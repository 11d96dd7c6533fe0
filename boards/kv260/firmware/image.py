"""The image that the kernel's FPGA manager loads, made from a .bit by bootgen and held against it."""

from __future__ import annotations

from pathlib import Path

from boards.kv260.firmware.tools import find_tool, made_by, run_tool
from ebmhw.board.bit import Bit, parse_bit
from ebmhw.board.block_design import APP, PART, TOP
from ebmhw.board.command import shown_end
from ebmhw.board.installed import IMAGE
from ebmhw.errors import FirmwareError


def read_bit(path: Path) -> Bit:
    """Return what is in the .bit of our design; FirmwareError where it is for another FPGA, of another design, or a part of one."""
    bit = parse_bit(path.read_bytes(), str(path))
    if bit.part != PART:
        raise FirmwareError(f"{path} is for the FPGA {bit.part!r}, the KV260 has {PART!r}; give the .bit that `make bitstream` wrote")
    if bit.design != TOP:
        raise FirmwareError(f"{path} holds the design {bit.design!r}, not {TOP!r}; give the .bit that `make bitstream` wrote")
    if any(option.upper() == "PARTIAL=TRUE" for option in bit.options):
        raise FirmwareError(f"{path} configures a part of the FPGA, firmware configures all of it; give the .bit that `make bitstream` wrote")
    return bit


def write_image(bit_path: Path, bit: Bit, folder: Path, work: Path) -> Path:
    """Have bootgen write the image into a folder, and return its path.

    Parameters
    ----------
    bit_path, bit : the .bit, and what was read from it
    folder : of the image
    work : empty folder for what bootgen needs

    Raises
    ------
    FirmwareError
        There is no bootgen, it failed, or its image is not the configuration data of the .bit.
    """
    source = work / f"{APP}.bit"
    source.write_bytes(bit_path.read_bytes())
    # Paths within a .bif may hold no blanks, so all stand in one folder. -process_bitstream writes NAME.bit.bin beside NAME.bit, whatever -o says:
    # plain data, as PYNQ hands it to the FPGA manager. Without it bootgen wraps the data into a boot image.
    (work / f"{APP}.bif").write_text(f"all:\n{{\n  [destination_device = pl] {source.name}\n}}\n", encoding="ascii")
    printed = run_tool([find_tool("bootgen"), "-arch", "zynqmp", "-image", f"{APP}.bif", "-process_bitstream", "bin", "-w"], work)
    made = made_by("bootgen", work / IMAGE, printed)
    content = made.read_bytes()
    if content != bit.image:
        raise FirmwareError(
            f"bootgen wrote {len(content)} bytes that are not the {len(bit.data)} bytes of configuration data of {bit_path}; "
            f"install another version of bootgen; it printed: {shown_end(printed)}"
        )
    return made.replace(folder / IMAGE)
