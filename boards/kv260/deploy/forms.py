"""The form of what a board says of itself, which is checked before anything is read of it."""

from __future__ import annotations

from typing import Any, Final

from ebmhw.errors import BoardError

_MAYBE_DICT: Final = (dict, type(None))

_FORM: Final[dict[str, type | tuple[type, ...]]] = {
    "uid": (int, type(None)),
    "sudo": (bool, type(None)),
    "model": str,
    "compatible": list,
    "products": list,
    "system": (str, type(None)),
    "python": list,
    "tools": dict,
    "folder": bool,
    "disks": list,
    "apps": (list, type(None)),
    "nodes": _MAYBE_DICT,
    "manager": (str, type(None)),
    "pynq": _MAYBE_DICT,
    "index": (str, type(None)),
    "installed": dict,
    "journal": bool,
    "troubles": list,
}

_PYNQ: Final[dict[str, type | tuple[type, ...]]] = {
    "python": list,
    "versions": dict,
    "requires": list,
    "compiler": str,
    "imported": (str, type(None)),
    "kernel": bool,
    "contract": (str, type(None)),
    "units": dict,
    "error": (str, type(None)),
}


def checked_facts(found: Any) -> dict[str, Any]:
    """Return a board's facts; BoardError where they are not of their form."""
    facts = _of_form(found, _FORM, "facts")
    good = (
        _texts(facts["compatible"]) and _texts(facts["products"]) and _texts(facts["troubles"]),
        _numbers(facts["python"]),
        all(isinstance(one, list) and [type(part) for part in one] == [int, int, bool, str] for one in facts["disks"]) and facts["disks"],
        all(_is_app(one) for one in facts["apps"] or []),
        all(isinstance(one, dict) for one in (facts["nodes"] or {}).values()),
    )
    if not all(good):
        raise BoardError("the board's facts are not of their form; is something else between this machine and the board's python3?")
    if facts["pynq"] is not None:
        checked_python(facts["pynq"])
    return facts


def checked_python(found: Any) -> dict[str, Any]:
    """Return what the board's PYNQ Python says of its packages; BoardError where it is not of its form."""
    pynq = _of_form(found, _PYNQ, "facts of Python")
    units = all(isinstance(one, list) and len(one) == 2 and _numbers(one) for one in pynq["units"].values())
    if not (
        _numbers(pynq["python"]) and _texts(pynq["requires"]) and units and _texts([one for one in pynq["versions"].values() if one is not None])
    ):
        raise BoardError("the board's facts of Python are not of their form; what does its ebmhw package hold?")
    return pynq


def _of_form(found: Any, form: dict[str, type | tuple[type, ...]], what: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise BoardError(f"the board's {what} are {type(found).__name__}, not an object")
    for name, kind in form.items():
        if name not in found or not isinstance(found[name], kind):
            raise BoardError(f"the board's {what} have no right {name!r}: {found.get(name)!r:.80}")
    return found


def _texts(values: list[Any]) -> bool:
    return all(isinstance(one, str) for one in values)


def _numbers(values: list[Any]) -> bool:
    return all(type(one) is int for one in values)


def _is_app(one: Any) -> bool:
    return isinstance(one, list) and [type(part) for part in one] == [str, bool]
