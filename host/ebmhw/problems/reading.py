"""read: a problem from a file of any supported kind, told by its content and not by its name."""

from __future__ import annotations

import os

from ebmhw.problems.formula import Formula
from ebmhw.problems.maxcut import MaxCut
from ebmhw.problems.quadratic import VARTYPE, Quadratic
from ebmhw.problems.table import INTEGER
from ebmhw.problems.text import Text, load, show

Problem = MaxCut | Formula | Quadratic

_SUPPORTED = (
    "supported are G-set (a line 'vertices edges'), DIMACS ('p cnf', 'p wcnf', or lines of a weight or h and a clause), "
    "dimod COO ('# vartype=SPIN' or '# vartype=BINARY' first, as coo.dump(..., vartype_header=True) writes) "
    "and qbsolv ('p qubo 0 maxNodes nNodes nCouplers')"
)


def read(path: str | os.PathLike[str], split_above: int | None = None) -> Problem:
    """Return the problem of a G-set, DIMACS, dimod COO or qbsolv file, plain or compressed.

    Parameters
    ----------
    split_above : as in `Formula`; no other kind has a use for it

    Raises
    ------
    InvalidFile
        for a file of another kind, or one that its kind refuses, naming the line.
    """
    text = load(path)
    kind = _kind(text)
    if kind is Formula:
        return Formula.from_text(text, split_above)
    return Quadratic.from_text(text) if kind is Quadratic else MaxCut.from_text(text)


def _kind(text: Text) -> type[Problem]:
    found: list[bytes] = []
    where = 1
    for line, _, content in text.lines():
        tokens = content.split()
        if tokens and tokens[0].startswith(b"#") and VARTYPE.match(content.lstrip()):
            return Quadratic
        if not tokens or tokens[0].startswith((b"#", b"c")):
            continue
        if found:
            # "5 0" alone is a graph without edges; followed by more it is a weighted empty clause.
            return Formula
        where = line
        if tokens[0] == b"p" and tokens[1:2] in ([b"cnf"], [b"wcnf"]):
            return Formula
        if tokens[:2] == [b"p", b"qubo"]:
            return Quadratic
        if tokens[0] == b"h":
            return Formula
        numbers = all(INTEGER.fullmatch(token) for token in tokens)
        if numbers and len(tokens) > 2 and tokens[-1] == b"0" and not tokens[0].startswith(b"-"):
            return Formula
        found = tokens
        if not (numbers and len(tokens) == 2):
            break
        if tokens[1] != b"0":
            return MaxCut
    if len(found) == 2:
        return MaxCut
    shown = f"{show(b' '.join(found))} begins no problem" if found else "only comments"
    raise text.error(where, f"{shown}; {_SUPPORTED}")
