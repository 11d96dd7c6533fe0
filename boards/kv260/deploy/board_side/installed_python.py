"""What the Python that runs this has installed of pynq, numpy and ebmhw, as a line of JSON; run by PYNQ's Python, not imported there."""

from __future__ import annotations

import json
import re
import sys
from importlib import metadata
from typing import Any

MARK = "ebmhw-python "
"""What the line begins with."""


def installed_python() -> dict[str, Any]:
    """Return versions, requirements of ebmhw that are missing, its contract's digest and its units' hashes, and the files that it consists of."""
    found: dict[str, Any] = {
        "python": list(sys.version_info[:3]),
        "versions": {name: _version(name) for name in ("pynq", "numpy", "ebmhw")},
        "missing": [],
        "contract": None,
        "units": {},
        "files": [],
        "error": None,
    }
    if found["versions"]["ebmhw"] is None:
        return found
    found["files"] = [str(metadata.distribution("ebmhw").locate_file(name)) for name in metadata.files("ebmhw") or []]
    for one in metadata.requires("ebmhw") or []:
        name = re.match(r"[A-Za-z0-9._-]+", one)
        if name and not re.search(r"\bextra *==", one) and _version(name.group()) is None:
            found["missing"].append(one)
    try:
        from ebmhw.contract.design import UNITS
        from ebmhw.contract.render import contract_digest

        found["contract"] = contract_digest()
        found["units"] = {unit.name: [unit.registers.hash32, unit.packet_hash] for unit in UNITS}
    except Exception as error:  # whatever another version of it raises
        found["error"] = f"{type(error).__name__}: {error}"
    return found


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    print(MARK + json.dumps(installed_python()))
