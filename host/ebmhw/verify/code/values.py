"""Values between processes: exact built-in and standard types as JSON, without pickle and without code.

A value is a JSON tree: null, true, false, strings, integers up to 2^53, finite floats and arrays (lists) stand for themselves; all else is an
object of one member, its type: {"tuple": [1, 2]}, {"dict": [[key, value], ...]}, {"int": "0x..."}, {"float": "nan"}. Types are exact: an instance
of a subclass is no value and goes to ``other``. A mutable container that is there twice is written once and then as {"ref": number}, numbers in
order of first appearance, so that two names of one list stay two names of one list. A value that contains itself is refused. Of a defaultdict the
factory is kept where it is a type of Python such as int, and dropped otherwise.

These modules run inside the sandbox as well: they need the standard library, and NumPy only where the code under test may import it.
"""

from __future__ import annotations

from ebmhw.verify.code.decoding import Decoder, decode
from ebmhw.verify.code.encoding import Encoder, encode
from ebmhw.verify.code.kinds import MAX_BITS, MAX_BYTES, MAX_DEPTH, MAX_NODES, Other, Refused, refuse
from ebmhw.verify.code.messages import parsed, written

__all__ = [
    "MAX_BITS",
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_NODES",
    "Decoder",
    "Encoder",
    "Other",
    "Refused",
    "decode",
    "encode",
    "parsed",
    "refuse",
    "written",
]
