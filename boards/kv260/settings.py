"""What the Tcl scripts are told: one file that sets ``settings``, a dict made from the block design's description, the contract and the RTL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from ebmhw.board import block_design
from ebmhw.board.block_design import BLOCKS, Block
from ebmhw.contract.registers import Field, Register
from ebmhw.errors import ConfigError

Tcl: TypeAlias = "str | int | Sequence[Tcl] | Mapping[str, Tcl]"

_BARE = re.compile(r"[A-Za-z0-9_./:,+*=@%-]+")
_ESCAPED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

ACCESS: Final = {"ro": "read-only", "rw": "read-write", "w1c": "read-write", "wo": "write-only", "pulse": "write-only"}
"""IP-XACT's access of a field, by the contract's."""


def settings_text(
    *,
    folder: Path,
    reports: Path,
    clock_mhz: int,
    phi: str,
    jobs: int,
    sources: Mapping[str, Sequence[Path]],
    tops: Mapping[str, str],
    memory_files: Mapping[str, Sequence[Path]],
) -> str:
    """Return the Tcl file.

    Parameters
    ----------
    folder : where Vivado works
    reports : folder of the reports
    clock_mhz, phi, jobs : of the build
    sources : files of each unit, by its name
    tops : module of each unit that is packaged
    memory_files : further files that the sources of each unit read
    """
    values: dict[str, Any] = {
        "folder": str(folder),
        "reports": str(reports),
        "design": block_design.STEM,
        "top": block_design.TOP,
        "part": block_design.PART,
        "board_part": block_design.BOARD_PART,
        "board_connection": block_design.BOARD_CONNECTION,
        "clock_mhz": clock_mhz,
        "phi": phi,
        "jobs": jobs,
        "vendor": block_design.VENDOR,
        "library": block_design.LIBRARY,
        "version": block_design.IP_VERSION,
        "register_range": block_design.REGISTER_RANGE,
        "dma_vlnv": block_design.DMA_VLNV,
        "dma_length_bits": block_design.DMA_LENGTH_BITS,
        "control_bits": block_design.CONTROL_BITS,
        "dma_memory_bits": block_design.DMA_MEMORY_BITS,
        "interrupt_controller": block_design.INTERRUPT_CONTROLLER,
        "interrupt_controller_vlnv": block_design.INTERRUPT_CONTROLLER_VLNV,
        "interrupt_controller_address": f"{block_design.INTERRUPT_CONTROLLER_ADDRESS:#010x}",
        "interrupts": list(block_design.INTERRUPTS),
        "units": [
            _unit(block)
            | {
                "top": tops[block.unit.name],
                "sources": [str(path) for path in sources[block.unit.name]],
                "memory_files": [str(path) for path in memory_files.get(block.unit.name, ())],
            }
            for block in BLOCKS
        ],
    }
    lines = "\n".join(f"dict set settings {word(name)} {word(value)}" for name, value in values.items())
    return f"# Written by boards/kv260/bitstream.py for one build.\n\nset settings [dict create]\n{lines}\n"


def _unit(block: Block) -> dict[str, Any]:
    unit = block.unit
    return {
        "name": unit.name,
        "vlnv": block.vlnv,
        "cell": block.cell,
        "address": f"{block.address:#010x}",
        "dma": block.dma,
        "dma_address": f"{block.dma_address:#010x}",
        "job_bits": unit.job_bits,
        "result_bits": unit.result_bits,
        "doc": unit.registers.doc,
        "registers": [_register(register) for register in unit.registers.registers],
    }


def _register(register: Register) -> dict[str, Any]:
    return {
        "name": register.name,
        "offset": f"{register.offset:#x}",
        "access": "read-only" if all(field.access == "ro" for field in register.fields) else "read-write",
        "reset": register.reset,
        "doc": register.doc,
        "fields": [_field(field) for field in register.fields],
    }


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "lsb": field.lsb,
        "bits": field.bits,
        "access": ACCESS[field.access],
        "modified": "oneToClear" if field.access == "w1c" else "",
        "doc": field.doc,
    }


def word(value: Tcl) -> str:
    """Return a value as one word of Tcl: a text, a number, a list, or a dict."""
    if isinstance(value, Mapping):
        return _list(part for pair in value.items() for part in pair)
    if isinstance(value, (str, int)):
        return _text(str(value))
    return _list(value)


def _list(values: Iterable[Tcl]) -> str:
    inside = " ".join(word(value) for value in values)
    # Within braces a backslash stays: only what has none can be written readably.
    return "{" + inside + "}" if "\\" not in inside else _quoted(inside)


def _text(text: str) -> str:
    if _BARE.fullmatch(text):
        return text
    if text.isascii() and text.isprintable() and not set('{}\\"') & set(text):
        return "{" + text + "}"
    return _quoted(text)


def _quoted(text: str) -> str:
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPED:
        return _ESCAPED[character]
    if character in '\\"$[]{}':
        return "\\" + character
    if character.isascii() and character.isprintable():
        return character
    # Tcl 8 knows no character above U+FFFF.
    if ord(character) > 0xFFFF:
        raise ConfigError(f"{character!r} cannot stand in what Vivado is told; name the folder, or write the register's doc, without it")
    return f"\\u{ord(character):04x}"
