"""``python -m ebmhw.contract --format markdown|c|json``: print the constants and tables of the contract."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from ebmhw.contract import render

FORMATS: dict[str, Callable[[], str]] = {
    "markdown": render.contract_markdown,
    "c": render.contract_c_header,
    "json": render.contract_json,
}
"""What each value of ``--format`` prints."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the constants in the format asked for and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ebmhw.contract", description="Print the constants and tables of the contract.")
    parser.add_argument("--format", choices=sorted(FORMATS), default="markdown", help="default: markdown")
    sys.stdout.write(FORMATS[parser.parse_args(arguments).format]())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
