"""What the Python that runs this has installed, as a line of JSON; run by PYNQ's Python, not imported there."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import sysconfig
from importlib import import_module, metadata
from typing import Any

MARK = "ebmhw-python "
"""What the line begins with."""


def installed_python(names: list[str]) -> dict[str, Any]:
    """Return what is installed.

    Parameters
    ----------
    names : of packages to tell of: their versions, and their files where they lie in this environment

    Returns
    -------
    python : its version
    versions : by name, with those that ebmhw requires; None where there is none
    requires : requirements of ebmhw, as its metadata says them
    environment : versions of all that lies in this environment rather than in the system's folders
    files : of the packages in it, by name
    folders : of this environment's packages and commands
    compiler : what an extension module cannot be compiled for, "" where it can
    imported, kernel, contract, units, error : of ebmhw as it imports: its version, whether its kernel is there, the contract's digest, hashes by
        unit, and what it raised
    """
    requires = _requires()
    wanted = ["pynq", "numpy", "ebmhw", *names, *(_name(one) for one in requires)]
    environment: dict[str, str] = {}
    for one in metadata.distributions():
        name = one.metadata["Name"]
        if name and os.path.realpath(str(one.locate_file(""))).startswith(os.path.realpath(sys.prefix) + os.sep):
            environment.setdefault(_normal(name), one.version)
    found: dict[str, Any] = {
        "python": list(sys.version_info[:3]),
        "versions": {name: _version(name) for name in wanted},
        "requires": requires,
        "environment": environment,
        "files": {name: [str(one.locate()) for one in metadata.files(name) or []] for name in wanted if _normal(name) in environment},
        "folders": sorted({os.path.realpath(sysconfig.get_path(name)) for name in ("purelib", "platlib", "scripts")}),
        "compiler": _compiler(),
        "imported": None,
        "kernel": False,
        "contract": None,
        "units": {},
        "error": None,
    }
    if found["versions"]["ebmhw"] is not None:
        try:
            _import(found)
        except Exception as error:  # whatever another version of it raises
            found["error"] = f"{type(error).__name__}: {error}"
    return found


def _import(found: dict[str, Any]) -> None:
    import ebmhw

    # A folder without code imports too.
    found["imported"] = getattr(ebmhw, "__version__", None)
    from ebmhw.contract.design import UNITS
    from ebmhw.contract.render import contract_digest

    found["contract"] = contract_digest()
    found["units"] = {unit.name: [unit.registers.hash32, unit.packet_hash] for unit in UNITS}
    try:
        kernel = import_module("ebmhw.native._kernel")
    except ImportError:
        return
    found["kernel"] = bool(kernel.__file__)


def _requires() -> list[str]:
    try:
        return [one for one in metadata.requires("ebmhw") or [] if "extra" not in one.partition(";")[2]]
    except metadata.PackageNotFoundError:
        return []


def _name(requirement: str) -> str:
    return requirement.translate(str.maketrans("<>=!~;([", "        ")).split()[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _compiler() -> str:
    command = (sysconfig.get_config_var("CC") or "cc").split()[0]
    header = os.path.join(sysconfig.get_path("include"), "Python.h")
    missing = [] if shutil.which(command) else [f"the compiler {command}"]
    missing += [] if os.path.exists(header) else [header]
    return ", ".join(missing)


if __name__ == "__main__":
    print(MARK + json.dumps(installed_python(sys.argv[1:])))
