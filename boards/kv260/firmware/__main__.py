"""``python -m boards.kv260.firmware [--bitstreams FOLDER] [--name NAME] [--out FOLDER] [--quiet]``: make what a KV260 loads from a bitstream."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from boards.kv260.firmware.build import Firmware, make_firmware
from boards.kv260.frame import framed
from ebmhw.board.manifest import FileFacts

ROOT: Final = Path(__file__).resolve().parents[3]


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the firmware, print what was made, and return 0; 1 after an error, 130 after an interrupt."""
    options = _options(arguments)

    def make() -> None:
        firmware = make_firmware(options.bitstreams, options.name, options.out)
        print(_made(firmware) if options.quiet else _report(firmware))

    return framed(make, f"make firmware: interrupted; nothing in {options.out} is half-written", "make firmware")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m boards.kv260.firmware", description="Make what a KV260 loads from a bitstream.")
    parser.add_argument("--bitstreams", type=Path, default=ROOT / "bitstreams", metavar="FOLDER", help="with manifest.json (default: %(default)s)")
    parser.add_argument("--name", default="kv260", help="of the bitstream in the manifest (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "firmware", metavar="FOLDER", help="of what is made (default: %(default)s)")
    parser.add_argument("--quiet", action="store_true", help="say in one line what was made, and nothing of what comes next")
    return parser.parse_args(arguments)


def _report(firmware: Firmware) -> str:
    out = firmware.package.parent
    files = [path for folder in (firmware.folder, firmware.share) for path in sorted(folder.iterdir())] + [firmware.package]
    names = [path.relative_to(out).as_posix() for path in files]
    width = max(map(len, names))
    rows = [f"{'file':<{width}}  {'bytes':>10}  SHA-256"]
    for name, path in zip(names, files, strict=True):
        facts = FileFacts.of(path)
        rows.append(f"{name:<{width}}  {facts.size:>10,}  {facts.sha256}")
    return "\n".join([*rows, "", _made(firmware), "Next: make deploy BOARD=user@host"])


def _made(firmware: Firmware) -> str:
    out, entry = firmware.package.parent, firmware.entry
    return f"Made in {out}: {entry.name}, build {entry.build:#010x}, {entry.clock_mhz} MHz, phi unit from {entry.phi}, by {entry.tool}."


if __name__ == "__main__":
    sys.exit(main())
