"""A YAML file as plain values, without what YAML offers for surprise."""

from __future__ import annotations

import os
import stat
from typing import Any

import yaml

from ebmhw.errors import ConfigError, shown

SIZE_LIMIT = 2**20
"""Bytes; a configuration has some kilobytes."""


class _Loader(yaml.SafeLoader):
    """The safe loader, which also refuses a key that stands twice, and aliases: a few lines of them stand for more values than fit in memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            # What types PyYAML does not type this method.
            loader: Any = self
            raise yaml.MarkedYAMLError(None, None, "an alias (*) stands here; write its value out", loader.peek_event().start_mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            # PyYAML trusts explicit tags: "!!int ''", "!!bool x" and "!!timestamp x" end in whatever its conversion stumbles over.
            value = shown(node.value) if isinstance(node, yaml.ScalarNode) else "this"
            problem = f"{value} cannot be read as {str(node.tag).rpartition(':')[2][:40]}; give plain numbers and texts"
            raise yaml.MarkedYAMLError(None, None, problem, node.start_mark) from None

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        # "!!set [1]" is a sequence, which the safe loader refuses.
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if (key.tag, str(key.value)) in seen:
                raise yaml.MarkedYAMLError(None, None, f"the key {shown(key.value)} stands twice; give it once", key.start_mark)
            seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)


def read_yaml(path: str | os.PathLike[str]) -> Any:
    """Return the value of a YAML file.

    Raises
    ------
    ConfigError : the file cannot be read, is too large, or is no YAML; the text starts with ``path:line:``, or ``path:``
    """
    name = os.fspath(path)
    try:
        # Opening a pipe would wait for whoever writes into it.
        kind = os.stat(name).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise ConfigError(f"{name}: this is no regular file (a pipe, a device); give the path of a YAML file")
        with open(name, "rb") as stream:
            raw = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read: {error.strerror or error}; give the path of a YAML file") from None
    except ConfigError:
        raise
    except ValueError:
        raise ConfigError(f"{shown(name)}: this is no path; give the path of a YAML file") from None
    if len(raw) > SIZE_LIMIT:
        raise ConfigError(f"{name}: the file has more than {SIZE_LIMIT} bytes; a configuration has some kilobytes: give its path")
    try:
        return yaml.load(raw.decode("utf-8-sig"), Loader=_Loader)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: byte {error.start} is no UTF-8; write the file in UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{name}:{mark.line + 1}" if mark is not None else name
        raise ConfigError(f"{place}: this is no YAML that can be read here: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: this is no YAML: {' '.join(str(error).split())[:200]}") from None
    except RecursionError:
        raise ConfigError(f"{name}: the values are nested too deeply to be read; a configuration has two levels") from None
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"{name}: a value cannot be read ({' '.join(str(error).split())[:100]}); give plain numbers and texts") from None
