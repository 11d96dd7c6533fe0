"""Trees as bytes, those of carl-core: a magic number, the number of inputs, and the nodes in postfix order.

    45 4d 4c 01 | input_dim, 2 bytes | nodes
    01 + 8 bytes    a constant, float64
    02 + 2 bytes    an input, its index
    03              eml of the two subtrees before it, the left one first

All numbers are little-endian. A tree takes 165 bytes at most.
"""

from __future__ import annotations

import struct
from math import isfinite
from typing import Any

from ebmhw.coherence.eml.faults import decode_error, depth_exceeded, told
from ebmhw.coherence.eml.nodes import MAX_DEPTH, EMLNode, EMLOp

MAGIC = b"EML\x01"

_CONST, _VAR_X, _EML = 1, 2, 3
_PAYLOAD = {_CONST: struct.Struct("<d"), _VAR_X: struct.Struct("<H"), _EML: struct.Struct("")}
_HEADER = struct.Struct("<4sH")


def encoded(root: EMLNode, input_dim: int) -> bytes:
    """Return a tree of this many inputs (0 to 65535) as bytes."""
    parts = [_HEADER.pack(MAGIC, input_dim)]
    for node in root.postfix():
        if node.op is EMLOp.CONST:
            parts.append(bytes([_CONST]) + _PAYLOAD[_CONST].pack(node.const))
        elif node.op is EMLOp.VAR_X:
            parts.append(bytes([_VAR_X]) + _PAYLOAD[_VAR_X].pack(node.var_idx))
        else:
            parts.append(bytes([_EML]))
    return b"".join(parts)


def decoded(data: Any) -> tuple[EMLNode, int]:
    """Return the root and the number of inputs that bytes stand for.

    The work is bounded whatever the length: five subtrees that wait for their parent are one more than a tree can have.

    Raises
    ------
    EmlError
        eml.decode_error for anything but the bytes of one tree, whole and with nothing after it; eml.depth_exceeded beyond `MAX_DEPTH`.
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise decode_error(f"an encoded tree is {told(data)}; give bytes")
    raw = bytes(data)
    if len(raw) < _HEADER.size:
        raise decode_error(f"an encoded tree of {len(raw)} bytes is cut off; its header takes {_HEADER.size}")
    magic, input_dim = _HEADER.unpack_from(raw)
    if magic != MAGIC:
        raise decode_error(f"an encoded tree begins with {magic.hex(' ')}, not with {MAGIC.hex(' ')}; give what to_bytes() returned")
    stack: list[EMLNode] = []
    place = _HEADER.size
    while place < len(raw):
        place = _read(raw, place, input_dim, stack)
    if len(stack) != 1:
        raise decode_error(f"an encoded tree has {len(stack)} roots; it is cut off, or more bytes follow it")
    return stack[0], input_dim


def _read(raw: bytes, place: int, input_dim: int, stack: list[EMLNode]) -> int:
    """Read one node, push it, and return where the next one begins."""
    payload = _PAYLOAD.get(raw[place])
    if payload is None:
        raise decode_error(f"byte {place} of an encoded tree is {raw[place]:#04x}; a node begins with 01, 02 or 03")
    end = place + 1 + payload.size
    if end > len(raw):
        raise decode_error(f"an encoded tree of {len(raw)} bytes is cut off within the node at byte {place}")
    read = payload.unpack_from(raw, place + 1)
    if raw[place] == _EML:
        if len(stack) < 2:
            raise decode_error(f"the operation at byte {place} of an encoded tree has {len(stack)} subtrees before it; it takes 2")
        right, left = stack.pop(), stack.pop()
        stack.append(EMLNode(EMLOp.EML, left=left, right=right))
        return end
    if raw[place] == _CONST and not isfinite(read[0]):
        raise decode_error(f"the constant at byte {place} of an encoded tree is {read[0]}; it has to be finite")
    if raw[place] == _VAR_X and read[0] >= input_dim:
        raise decode_error(f"byte {place} of an encoded tree reads input {read[0]}, but it has {input_dim}, counted from 0")
    stack.append(EMLNode(EMLOp.CONST, const=read[0]) if raw[place] == _CONST else EMLNode(EMLOp.VAR_X, var_idx=read[0]))
    if len(stack) > MAX_DEPTH + 1:
        raise depth_exceeded(f"an encoded tree is deeper than {MAX_DEPTH}, or several trees follow one another", max_depth=MAX_DEPTH)
    return end
