"""`ebmhw backends`: what can run here."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from ebmhw.cli import terminal


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def backends(as_json: bool) -> None:
    """List the backends, whether each works here, and what it can take."""
    from ebmhw.backends import BACKEND_NAMES, get_backend
    from ebmhw.errors import BackendUnavailable

    found: list[dict[str, Any]] = []
    for name in BACKEND_NAMES:
        try:
            backend = get_backend(name)
            found.append({"name": name, "available": True, "is": backend.name, "capabilities": dataclasses.asdict(backend.capabilities), "why": ""})
        except BackendUnavailable as error:
            found.append({"name": name, "available": False, "why": str(error)})
    if as_json:
        terminal.echo_json(found)
        return
    rows = []
    for entry in found:
        what = entry["why"]
        if entry["available"]:
            can = entry["capabilities"]
            what = f"{', '.join(can['units'])}; {can['lanes']} lanes, up to {can['max_spins']} spins, {can['coupling_bits']}-bit couplings"
            what = f"uses {entry['is']}" if entry["is"] != entry["name"] else what
        rows.append((entry["name"], "yes" if entry["available"] else "no", what))
    click.echo(terminal.table(rows, ("backend", "here", "what")))
