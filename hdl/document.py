"""Writes the generated parts of the units' READMEs: ``python -m hdl.document``, with ``--check`` only compares.

A part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ebmhw.contract import ising_core, phi_unit, render
from ebmhw.contract.design import Unit, unit
from hdl.config import DesignConfig
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.pipeline import Stages

ROOT: Final = Path(__file__).parent
_PART: Final = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def documents(config: DesignConfig) -> dict[Path, dict[str, str]]:
    """Return the generated parts of each document by name; the pipeline is that of ``config``."""
    core = config.ising_core
    return {
        ROOT / "ising_core" / "README.md": {
            **_contract(unit("ising_core"), ising_core.ERRORS, ising_core.ERROR_MEANINGS),
            "pipeline": _pipeline(core),
            "timing": _timing(core),
        },
        ROOT / "phi_unit" / "README.md": _contract(unit("phi_unit"), phi_unit.ERRORS, phi_unit.ERROR_MEANINGS),
    }


def _contract(about: Unit, codes: Mapping[str, int], meanings: Mapping[str, str]) -> dict[str, str]:
    """Return the parts that every unit has."""
    return {
        "registers": _nested(render.markdown(about.registers)),
        "jobs": _nested(render.markdown(about.jobs)),
        "results": _nested(render.markdown(about.results)),
        "errors": _errors(codes, meanings),
    }


def updated(text: str, generated: dict[str, str]) -> str:
    """Return a document with its generated parts made anew; ValueError where it asks for an unknown one, or lacks one."""
    asked = [match[1] for match in _PART.findall(text)]
    if sorted(asked) != sorted(generated):
        raise ValueError(f"the document has the generated parts {', '.join(asked) or 'none'}; it needs {', '.join(generated)}, each once")
    return _PART.sub(lambda match: f"{match[1]}{generated[match[2]]}\n{match[3]}", text)


def _nested(markdown: str) -> str:
    """Return Markdown whose title lines are two levels lower, its first one dropped: the document has a heading of its own."""
    lines = markdown.strip().splitlines()[1:]
    return "\n".join(f"##{line}" if line.startswith("#") else line for line in lines).strip()


def _errors(codes: Mapping[str, int], meanings: Mapping[str, str]) -> str:
    rows = [f"| {codes[name]} | `{name}` | {meaning} |" for name, meaning in meanings.items()]
    return "\n".join(["| Code | Name | Meaning |", "| --- | --- | --- |", *rows])


def _steps(config: IsingConfig) -> list[tuple[int, int, str, str]]:
    """Return (first cycle, last cycle, short name, what happens) of every step of the pipeline."""
    at = Stages.of(config)
    decision = at.field + 1
    return [
        (0, 0, "issue", "No spin of the beat is on its way to being written; all slots' addresses go to the spin memory"),
        (1, at.product - 1, "read", "Spin memory; its output registers"),
        (at.product, at.add - 1, "product", "Products of chained slots: lower half, upper half; the product carried into the next beat"),
        (at.add, at.field - 1, "sum", "Couplings of positive products, added in a tree"),
        (at.field, at.field, "field", "The beat's sum is added to the row's field"),
        (decision, decision, "abs", "abs(h); from here on once a row"),
        (decision + 1, decision + 2, "odds", "abs(h) B (DSP), rounded: y"),
        (decision + 3, decision + 3, "tables", "HI and LO; e; the cut-off"),
        (decision + 4, decision + 5, "mantissa", "HI LO (DSP), rounded: M"),
        (decision + 6, decision + 8, "scale", "M times (2^33 - v), or times 2^33 (two DSP)"),
        (decision + 9, decision + 10, "shift", "right by e; own spin and best state are read"),
        (decision + 11, decision + 11, "compare", "with v 2^16: weak"),
        (at.decide, at.decide, "decide", "The new spin by rule and pass"),
        (at.write, at.write, "write", "It goes to all copies; energy and flips take it"),
        (at.settle, at.settle, "settle", "After a sweep: is this the best energy? Old spin to the best state and to the result stream"),
    ]


def _pipeline(config: IsingConfig) -> str:
    rows = [f"| {first if first == last else f'{first}-{last}'} | {name} | {what} |" for first, last, name, what in _steps(config)]
    latency = Stages.of(config).latency
    note = f"\nA beat that reads the row's spin may be issued {latency} cycles after the row's last beat (register `shape`, field `latency`)."
    return "\n".join(["| Cycle | Step | What happens |", "| --- | --- | --- |", *rows, note])


def _timing(config: IsingConfig) -> str:
    """Return the way of a row of two beats, of the row behind it, and of a third that reads the first one's spin."""
    latency = Stages.of(config).latency
    letters = "".join({"issue": "I", "read": "r", "product": "p", "sum": "+", "field": "f", "abs": "a", "odds": "o", "tables": "t", "mantissa": "m",
                       "scale": "s", "shift": ">", "compare": "<", "decide": "d", "write": "W", "settle": "b"}[name] * (last - first + 1)
                      for first, last, name, _ in _steps(config))  # fmt: skip
    short = letters[: letters.index("a")]
    width = latency + 1 + len(letters)
    ruler = "".join(str(cycle // 10 % 10) if cycle % 10 == 0 else "." for cycle in range(width))
    lines = [
        ("cycle", ruler),
        ("row 1, beat 1 of 2", short),
        ("row 1, beat 2 of 2", " " + letters),
        ("row 2, its only beat", "  " + letters),
        ("row 3 reads row 1's spin", "  " + " " + "H" * (latency - 2) + letters),
    ]
    key = (
        "I issue  r read  p product  + sum  f field  a abs  o odds  t tables  m mantissa  s scale  > shift  < compare  d decide\n"
        "W write  b settle (best state, sample)  H held by the interlock"
    )
    return "\n".join(["```text", *(f"{name:<25}{text}".rstrip() for name, text in lines), "", key, "```"])


def main() -> int:
    """Update or check the documents; return the exit status."""
    parser = argparse.ArgumentParser(description="Write the generated parts of the units' READMEs.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a document is out of date")
    arguments = parser.parse_args()
    status = 0
    for path, generated in documents(DesignConfig.from_yaml(ROOT / "configs" / "kv260.yaml")).items():
        text = path.read_text(encoding="utf-8")
        new = updated(text, generated)
        if new == text:
            continue
        if arguments.check:
            print(f"{path} is out of date: run python -m hdl.document", file=sys.stderr)
            status = 1
        else:
            path.write_text(new, encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
