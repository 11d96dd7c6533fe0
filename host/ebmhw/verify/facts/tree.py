"""Tree: a YAML or JSON text as mappings, lists and texts with their lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, final

import yaml

from ebmhw.errors import ExtractionError, shown

DEPTH_LIMIT = 8
"""Mappings and lists within each other."""


class Node(NamedTuple):
    """A mapping, list or text of the file, and its line from 1."""

    value: Any
    line: int


def bare(node: Node) -> Any:
    """Return a node as it may stand in a message."""
    return node.value if isinstance(node.value, str) else "a list" if isinstance(node.value, list) else "a mapping"


@final
class Tree:
    """Builds nodes of the events of a YAML or JSON text, without recursion; texts stay texts, whatever YAML would make of them.

    Parameters
    ----------
    text : the file
    error : makes the error for a line, to be raised

    Attributes
    ----------
    root : the whole, or None for an empty file
    """

    def __init__(self, text: str, error: Callable[[int, str], ExtractionError]) -> None:
        self.root: Node | None = None
        self._error = error
        if text.lstrip()[:1] in ("{", "["):
            # JSON may be indented with tabs, which YAML refuses.
            text = text.replace("\t", "  ")
        stack: list[tuple[Node, list[str]]] = []
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            for event in yaml.parse(text, Loader=loader):
                self._take(event, stack)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            what = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
            raise self._error(1 if mark is None else mark.line + 1, f"not readable as YAML or JSON: {what}") from error
        except RecursionError as error:
            raise self._error(1, "nested too deeply") from error

    def _take(self, event: Any, stack: list[tuple[Node, list[str]]]) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise self._error(line, "anchors and aliases of YAML are not read; write the value out")
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise self._error(line, "a second document; give one")
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            node = Node({} if isinstance(event, yaml.MappingStartEvent) else [], line)
            if len(stack) == DEPTH_LIMIT:
                raise self._error(line, f"nested more than {DEPTH_LIMIT} deep")
            self._put(node, stack)
            stack.append((node, []))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            stack.pop()
        elif isinstance(event, yaml.ScalarEvent):
            self._put(Node(event.value, line), stack)

    def _put(self, node: Node, stack: list[tuple[Node, list[str]]]) -> None:
        if not stack:
            self.root = node
            return
        parent, keys = stack[-1]
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif keys:
            key = keys.pop()
            if key in parent.value:
                raise self._error(node.line, f"key {shown(key)} is given twice")
            parent.value[key] = node
        elif isinstance(node.value, str):
            keys.append(node.value)
        else:
            raise self._error(node.line, "a key is a list or a mapping; give a text")
