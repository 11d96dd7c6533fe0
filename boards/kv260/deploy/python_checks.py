"""What PYNQ's Python on a board must have before anything there is changed, and the commands that give it what it lacks."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any, Final

from boards.kv260.deploy.board_side.requirements import lacking, name_of, numbers
from boards.kv260.deploy.host_package import NUMPY_BELOW, HostPackage
from boards.kv260.deploy.payload import Payload
from boards.kv260.deploy.plan import Plan
from boards.kv260.deploy.text import dots
from ebmhw.board.machine import PYNQ_ENVIRONMENT
from ebmhw.contract.design import UNITS

LEAST: Final = {"python": (3, 10), "pynq": (3, 0)}
"""Oldest versions that ebmhw runs with on a board."""

NUMPY: Final = f"numpy>=1.26,<{NUMPY_BELOW}"
"""What both ebmhw and PYNQ take."""

_NUMPY_INSTALL: Final = "numpy==1.26.*"

_SETUPTOOLS_BELOW: Final = ",<82"
"""Version 82 ended pkg_resources, which pynq 3.0.1 imports."""


def python_verdict(facts: dict[str, Any], plan: Plan) -> tuple[str, str]:
    """Return what is wrong with PYNQ's Python, with the remedies, and what it has; "" in the place of the first where nothing is wrong."""
    pynq = facts["pynq"]
    if pynq is None:
        why = next((one for one in facts["troubles"] if one.startswith("pynq: ")), f"there is no {PYNQ_ENVIRONMENT}/bin/python3")
        return f"{why}; install Kria-PYNQ (its install.sh -b KV260)", ""
    wrong = [*_pynq(pynq), *_numpy(pynq, plan)]
    wrong += _ours(pynq, plan) if plan.host is None else _installing(facts, plan.host, plan.offline)
    versions = {"python": dots(pynq["python"])} | {name: pynq["versions"].get(name) for name in ("ebmhw", "numpy", "pynq")}
    return "; ".join(wrong), ", ".join(f"{name} {version}" for name, version in sorted(versions.items()) if version)


def pip_install(requirements: Sequence[str]) -> str:
    """Return the command that installs packages into PYNQ's Python, Kria-PYNQ's own settings of pip left out."""
    return f"sudo env PIP_CONFIG_FILE=/dev/null {PYNQ_ENVIRONMENT}/bin/python3 -m pip install {shlex.join(requirements)}"


def contract_differences(pynq: dict[str, Any], payload: Payload) -> list[str]:
    """Return in what the board's ebmhw differs from a firmware, a sentence with both hashes each."""
    told = []
    for unit in UNITS:
        theirs, due = pynq["units"].get(unit.name), payload.entry.units[unit.name]
        for index, (what, built) in enumerate((("register map", due.map_hash), ("packets", due.packet_hash))):
            if not isinstance(theirs, list) or theirs[index] != built:
                said = f"{theirs[index]:#010x}" if isinstance(theirs, list) else "none"
                told.append(f"the {what} of {unit.name} has hash {built:#010x} in the bitstream, {said} in the board's ebmhw")
    if pynq["contract"] != payload.entry.contract_digest:
        told.append(
            f"the contract's digest is {payload.entry.contract_digest[:8]} in the bitstream, {str(pynq['contract'])[:8]} in the board's ebmhw"
        )
    return told


def _pynq(pynq: dict[str, Any]) -> Iterator[str]:
    found = {"python": dots(pynq["python"]), "pynq": pynq["versions"].get("pynq")}
    for name, least in LEAST.items():
        if found[name] is None:
            yield f"{name} is not installed in {PYNQ_ENVIRONMENT}; install Kria-PYNQ (its install.sh -b KV260)"
        elif numbers(found[name])[: len(least)] < least:
            yield f"{name} is {found[name]} in {PYNQ_ENVIRONMENT}, ebmhw needs {dots(least)} or newer; install Kria-PYNQ 3.0 or newer"


def _numpy(pynq: dict[str, Any], plan: Plan) -> Iterator[str]:
    version = pynq["versions"].get("numpy")
    if version is not None and lacking([f"numpy<{NUMPY_BELOW}"], pynq["versions"]):
        yield f"numpy is {version} in {PYNQ_ENVIRONMENT}, PYNQ needs one below {NUMPY_BELOW}; on the board: {pip_install([_NUMPY_INSTALL])}"
    elif plan.host is None and lacking([NUMPY], pynq["versions"]):
        said = f"numpy is {version or 'not installed'} in {PYNQ_ENVIRONMENT}, ebmhw needs 1.26 or newer"
        yield f"{said}; on the board: {pip_install([_NUMPY_INSTALL])}"


def _ours(pynq: dict[str, Any], plan: Plan) -> list[str]:
    """Return why the ebmhw that is there will not do."""
    lacks = [one for one in lacking(pynq["requires"], pynq["versions"]) if name_of(one) != "numpy"]
    if pynq["versions"].get("ebmhw") is None:
        wrong = [f"ebmhw is not installed in {PYNQ_ENVIRONMENT}"]
    elif lacks:
        wrong = [f"ebmhw lacks {', '.join(lacks)}"]
    elif pynq["error"]:
        wrong = [f"ebmhw does not import there ({pynq['error']})"]
    else:
        wrong = contract_differences(pynq, plan.payload)
    return [*wrong, f"install this checkout's ebmhw there: make wheel, then make deploy BOARD={plan.target} DEPLOY=--install-host"] if wrong else []


def _installing(facts: dict[str, Any], package: HostPackage, offline: bool) -> Iterator[str]:
    """Yield why a package cannot be installed."""
    pynq = facts["pynq"]
    wheel = f"or give a wheel for the board (made by `python3 -m pip wheel --no-deps {package.file.name}` on 64-bit ARM with Linux)"
    if package.is_sdist and pynq["compiler"]:
        name = package.file.name
        yield f"{name} is compiled on the board, which lacks {pynq['compiler']}; on the board: sudo apt install gcc python3-dev; {wheel}"
    if not offline:
        if facts["index"]:
            remedy = "connect the board to a network with it and look at its clock (date), or deploy with DEPLOY='--install-host --offline'"
            yield f"the board gets nothing from its package index ({facts['index']}); {remedy}, which says what is to be there"
        return
    lacks = [one for one in lacking((*package.requires, *package.builds), pynq["versions"]) if name_of(one) != "numpy" or _below(pynq)]
    if lacks:
        wanted = [one + _SETUPTOOLS_BELOW if name_of(one) == "setuptools" else one for one in lacks]
        version = dots(pynq["python"][:2])
        options = f"--only-binary=:all: --python-version {version} --platform manylinux2014_aarch64 --platform manylinux_2_28_aarch64"
        yield (
            f"without a package index {', '.join(lacks)} must be there before; on the board, once it has a network: {pip_install(wanted)}; or on "
            f"another machine: python3 -m pip download -d wheels {options} {shlex.join(wanted)}, copy the folder wheels to the board, and there: "
            f"{pip_install(['--no-index', '--find-links', 'wheels', *wanted])}" + (f"; {wheel}, which needs no setuptools" if package.builds else "")
        )


def _below(pynq: dict[str, Any]) -> bool:
    """Whether NumPy is missing or too old, rather than too new, which has its own remedy."""
    version = pynq["versions"].get("numpy")
    return version is None or not lacking([f"numpy<{NUMPY_BELOW}"], pynq["versions"])
