"""What a board and a firmware must fulfil before anything on the board is changed: all of it is looked at, and told together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, final

from boards.kv260.deploy.payload import Payload
from boards.kv260.deploy.plan import Plan
from boards.kv260.deploy.python_checks import python_verdict
from boards.kv260.deploy.text import bytes_shown, dots
from ebmhw.board.block_design import APP, BLOCKS, FIRMWARE_ROOT, SHARE_ROOT
from ebmhw.board.machine import board_kind
from ebmhw.board.system import OPERATING

BOARD_PYTHON: Final = (3, 8)
"""Oldest python3 of the image for what a deploy runs there."""

IMAGE: Final = "use the Ubuntu image of Kria boards with Kria-PYNQ (boards/kv260/README.md)"


@final
@dataclass(frozen=True)
class Check:
    """A check and how it went: "ok", "note" (said, and no hindrance) or "failed"."""

    what: str
    state: str
    detail: str


def checks(facts: dict[str, Any], plan: Plan) -> list[Check]:
    """Return all checks of a board, from its facts as `board_side` says them."""
    found = [Check(what, "failed" if bad else "ok", bad or good) for what, bad, good in _verdicts(facts, plan.payload, plan.size, plan.reserve)]
    found += [Check("Python", "failed" if bad else "ok", bad or good) for bad, good in [python_verdict(facts, plan)]]
    return [*found, *_notes(facts, plan.payload)]


def design_faults(found: dict[str, Any], payload: Payload) -> list[str]:
    """Return in what the programmable logic, as the kernel tells of it, is not what was deployed, a sentence each."""
    if found.get("manager") != OPERATING:
        return [f"the FPGA manager's state is {found.get('manager')!r} after loading, not {OPERATING!r}; the kernel's word on it: dmesg | tail"]
    told, entry = [], payload.entry
    for block in BLOCKS:
        hashes, node = entry.units[block.cell], dict(found.get("nodes") or {}).get(block.compatible)
        if not isinstance(node, dict):
            told.append(f"the live device tree has no node {block.compatible} after loading: the overlay was not applied")
            continue
        due = {"build": entry.build, "map_hash": hashes.map_hash, "packet_hash": hashes.packet_hash, "contract_digest": entry.contract_digest}
        told += [
            f"the live device tree says {name} {_shown(node.get(name))} of {block.compatible}, not {_shown(value)}: another design is loaded"
            for name, value in due.items()
            if node.get(name) != value
        ]
    return told


def _verdicts(facts: dict[str, Any], payload: Payload, upload: int, reserve: int) -> Iterator[tuple[str, str, str]]:
    yield "board", *_board(facts)
    yield "image", *_image(facts)
    root = facts["uid"] == 0
    why = (
        ""
        if root or facts["sudo"]
        else "neither root nor sudo without a password: log in as root, or allow it (sudo visudo: USER ALL=(ALL) NOPASSWD: ALL)"
    )
    yield "permission", why, "root" if root else "sudo without a password"
    yield "space", *_space(facts, upload, reserve)
    differences = payload.entry.differences()
    remedy = "; build the bitstream of this checkout (make bitstream firmware), or check out the one that it was built from"
    yield "bitstream", "; ".join(differences) + remedy if differences else "", f"build {payload.entry.build:#010x}, contract as in this checkout"
    unfinished = payload.entry.timing
    yield "timing", "" if unfinished.met else f"the bitstream misses its clock (setup slack {unfinished.setup_slack} ns); build it again", "met"


def _board(facts: dict[str, Any]) -> tuple[str, str]:
    said = ", ".join(filter(None, [facts["model"], *facts["products"]])) or "nothing of itself"
    others = [name for name in facts["products"] if name.startswith("SCK-") and not name.startswith("SCK-KV-")]
    if board_kind(facts["compatible"], facts["model"]) not in ("kv260", "k26"):
        return f"the machine says {said}: it is no KV260, nor a K26; check BOARD", ""
    if others:
        return f"the machine says {said}: its carrier is {', '.join(others)}, not the KV260's; check BOARD", ""
    return "", said


def _image(facts: dict[str, Any]) -> tuple[str, str]:
    system = facts["system"] or "an unknown system"
    missing = [name for name in ("xmutil", "dfx-mgr-client") if not facts["tools"].get(name)]
    missing += [] if facts["folder"] else [FIRMWARE_ROOT]
    if missing:
        return f"{system} has no {', no '.join(missing)}: firmware cannot be loaded there; {IMAGE}", ""
    if tuple(facts["python"]) < BOARD_PYTHON:
        return f"{system} has Python {dots(facts['python'])}, a deploy needs {dots(BOARD_PYTHON)} or newer; {IMAGE}", ""
    if facts["apps"] is None and (facts["uid"] == 0 or facts["sudo"]):
        return f"{system}: {'; '.join(facts['troubles'])}", ""
    return "", system


def _space(facts: dict[str, Any], upload: int, reserve: int) -> tuple[str, str]:
    disks: dict[int, tuple[int, bool, str]] = {number: (free, closed, path) for number, free, closed, path in facts["disks"]}
    for free, closed, path in disks.values():
        if closed:
            return f"the file system of {path} is mounted read-only; look at why (dmesg), and mount it again (sudo mount -o remount,rw /)", ""
        if free < upload + reserve:
            needed = f"{bytes_shown(upload)} and {bytes_shown(reserve)} in reserve are needed"
            return f"{path} has {bytes_shown(free)} free, {needed}; make room (sudo apt clean, journalctl --vacuum-size=50M)", ""
    return "", f"{bytes_shown(min(free for free, _, _ in disks.values()))} free for {bytes_shown(upload)}"


def _notes(facts: dict[str, Any], payload: Payload) -> list[Check]:
    notes, installed = [], facts["installed"]
    if facts["journal"]:
        notes.append(Check("earlier deploy", "note", "one died midway; what was there before it is put back first"))
    if installed:
        same = all(installed.get(where) == payload.of(where) for where in ("firmware", "share"))
        whose = "this very build is installed already; its files are put there again" if same else "another build is installed, and is replaced"
        notes.append(Check("installed", "note", whose))
    else:
        notes.append(Check("installed", "note", f"nothing in {FIRMWARE_ROOT}/{APP} nor {SHARE_ROOT}"))
    active = [name for name, is_active in facts["apps"] or [] if is_active]
    builds = {values.get("build") for values in (facts["nodes"] or {}).values()}
    said = ", ".join(active) or "no application"
    said += "".join(f", build {one:#010x}" for one in sorted(builds) if isinstance(one, int)) if APP in active else ""
    notes.append(Check("loaded", "note", f"{said}; FPGA manager: {facts['manager'] or 'none'}"))
    return notes


def _shown(value: object) -> str:
    return f"{value:#010x}" if isinstance(value, int) else repr(value)
