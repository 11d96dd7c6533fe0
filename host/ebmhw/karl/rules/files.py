"""Files of rules: YAML or JSON, every key checked."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ebmhw.errors import ConfigError, shown
from ebmhw.verify.members import NamedTwice, once

RULES_LIMIT = 1000
NAME_CHARS = 100
SIZE_LIMIT = 2**20
"""Bytes of a file of rules."""

_KEYS = ("pattern", "skill", "domain")


def values_of(path: str | os.PathLike[str]) -> Any:
    """Return the plain values of a file: JSON where its name ends in ".json", else YAML.

    Raises
    ------
    ConfigError : the file cannot be read; the text starts with ``path:line:``, or ``path:``
    """
    if os.fspath(path).lower().endswith(".json"):
        return _json(path)
    from ebmhw.config.yaml_file import read_yaml

    return read_yaml(path)


def members_of(data: Any) -> list[tuple[str, str | None, str | None]]:
    """Return pattern, skill and domain of each rule of a list, or of a mapping with such a list as "rules".

    Raises
    ------
    ConfigError : a rule has other members; the text names it by its number
    """
    if isinstance(data, Mapping):
        strange = next((name for name in data if name != "rules"), None)
        if strange is not None:
            raise ConfigError(f"the key {shown(strange)} does not exist; give a list of rules, or a mapping with them as its only key, rules")
        data = data.get("rules")
    if data is None:
        data = []
    if not isinstance(data, Sequence) or isinstance(data, (str, bytes)):
        raise ConfigError(f"the rules are {shown(data)}; give a list of mappings with pattern, skill and domain")
    if len(data) > RULES_LIMIT:
        raise ConfigError(f"there are {len(data)} rules; give {RULES_LIMIT} at most")
    return [_rule(one, number) for number, one in enumerate(data, 1)]


def _rule(data: Any, number: int) -> tuple[str, str | None, str | None]:
    if not isinstance(data, Mapping):
        raise ConfigError(f"rule {number} is {shown(data)}; give a mapping with pattern, skill and domain", context={"rule": number})
    for name in data:
        if name not in _KEYS:
            from ebmhw.config.nearest import proposal

            raise ConfigError(f"rule {number}: the key {shown(name)} does not exist; {proposal(name, _KEYS)}", context={"rule": number})
    pattern = data.get("pattern")
    if not isinstance(pattern, str) or not pattern:
        raise ConfigError(f"rule {number}: pattern is {shown(pattern)}; give a regular expression, in quotes", context={"rule": number})
    for name in ("skill", "domain"):
        value = data.get(name)
        if value is not None and (not isinstance(value, str) or not value.strip() or len(value) > NAME_CHARS):
            raise ConfigError(
                f"rule {number}: {name} is {shown(value)}; give a name of up to {NAME_CHARS} characters, in quotes", context={"rule": number}
            )
    if data.get("skill") is None and data.get("domain") is None:
        raise ConfigError(f"rule {number} gives neither skill nor domain; give one of them, or both", context={"rule": number})
    return pattern, data.get("skill"), data.get("domain")


def _json(path: str | os.PathLike[str]) -> Any:
    name = os.fspath(path)
    try:
        target = Path(name)
        if target.exists() and not target.is_file():
            raise ConfigError(f"{name}: this is no regular file; give the path of a JSON file")
        with open(target, "rb") as stream:
            raw = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read: {error.strerror or error}; give the path of a JSON file") from None
    except ConfigError:
        raise
    except ValueError:
        raise ConfigError(f"{shown(name)}: this is no path; give the path of a JSON file") from None
    if len(raw) > SIZE_LIMIT:
        raise ConfigError(f"{name}: the file has more than {SIZE_LIMIT} bytes; rules have some kilobytes: give their path")
    try:
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=once)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: byte {error.start} is no UTF-8; write the file in UTF-8") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"{name}:{error.lineno}: this is no JSON: {error.msg}") from None
    except RecursionError:
        raise ConfigError(f"{name}: the values are nested too deeply; rules have two levels") from None
    except NamedTwice as error:
        raise ConfigError(f"{name}: {error}") from None
    except ValueError as error:
        raise ConfigError(f"{name}: this is no JSON that can be read here: {' '.join(str(error).split())[:100]}") from None
