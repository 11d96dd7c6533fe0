"""Traces and snapshots of logits: tokens a second and memory, against carl-core's probe."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal

from ebmhw.bench.harness import Case, Measure, Peer
from ebmhw.bench.phi import memory_share

if TYPE_CHECKING:
    from ebmhw.bench.phi import Tokens

ROWS, _QUICK_ROWS = 256, 64
VOCABULARIES = (32_000, 128_000)
MAIN = 128_000
MEMORY_GOAL = 5.0
"""Percent of the logits."""

What = Literal["trace", "snapshot"]
_METHODS: dict[What, str] = {"trace": "measure_trace", "snapshot": "measure, top_k_mass included"}


def cases(quick: bool) -> list[Case]:
    """Return the cases of the coherence probe; ``quick`` takes 64 tokens instead of 256."""
    rows = _QUICK_ROWS if quick else ROWS
    of_rows = f"of {rows} rows of float32 logits, one thread"
    speed = [
        Case(
            name=f"coherence/{what} {rows}x{vocabulary}",
            measures=f"tokens a CPU second of CoherenceProbe.{method}, V = {vocabulary:,}, {of_rows}",
            unit="tokens/s",
            setup=_setup(rows, vocabulary),
            ours=_ours(what),
            peers=(Peer("carl-core", _carl(what)),),
            per_cpu_second=True,
        )
        for what, method in _METHODS.items()
        for vocabulary in VOCABULARIES
    ]
    memory = [
        Case(
            name=f"coherence/{what} {rows}x{MAIN} memory",
            measures=f"peak memory beyond the logits of CoherenceProbe.{method}, {of_rows}, in percent of the logits, of a fresh process",
            unit="%",
            ours=_child("ours", what, rows),
            peers=(Peer("carl-core", _child("carl", what, rows)),),
            higher_is_better=False,
            goal=MEMORY_GOAL,
            warm_up=False,
            max_rounds=3,
        )
        for what, method in _METHODS.items()
    ]
    return [*speed, *memory]


def _setup(rows: int, vocabulary: int) -> Callable[[ExitStack], Tokens]:
    def setup(_: ExitStack) -> Tokens:
        from ebmhw.bench.phi import make_tokens

        return make_tokens(rows, vocabulary)

    return setup


# --- sides


def _ours(what: What) -> Callable[[Tokens], Measure]:
    def make(tokens: Tokens) -> Measure:
        import ebmhw
        from ebmhw.coherence import CoherenceProbe

        backend = ebmhw.get_backend("cpu", threads=1)
        return _measure(CoherenceProbe(tokens.logits.shape[1], backend=backend, continuous=False), tokens, what)

    return make


def _carl(what: What) -> Callable[[Tokens], Measure]:
    def make(tokens: Tokens) -> Measure:
        from carl_core import CoherenceProbe

        return _measure(CoherenceProbe(vocab_size=tokens.logits.shape[1]), tokens, what)

    return make


def _measure(probe: Any, tokens: Tokens, what: What) -> Measure:
    method = probe.measure if what == "snapshot" else probe.measure_trace
    return lambda number: float(method(tokens.logits, tokens.chosen).n_tokens)


# --- memory


def _child(side: str, what: What, rows: int) -> Callable[[Any], Measure]:
    def make(_: Any) -> Measure:
        if side == "carl":
            import carl_core  # noqa: F401  # whether it is there at all

        return measure

    def measure(number: int) -> float:
        return memory_share("ebmhw.bench.coherence", side, what, str(rows))

    return make


def main(side: str, what: What, rows: int) -> None:
    """Measure logits in this process and print by how much its peak memory rose, in percent of their size."""
    from ebmhw.bench.child import peak_mb
    from ebmhw.bench.phi import make_tokens

    make = {"ours": _ours, "carl": _carl}[side](what)
    # What the first call imports and sets up is no memory of the measurement.
    make(make_tokens(2, 1000))(-1)
    tokens = make_tokens(rows, MAIN)
    measure, before = make(tokens), peak_mb()
    measure(0)
    after = peak_mb()
    percent = None if before is None or after is None else (after - before) * 1e6 / tokens.logits.nbytes * 100
    print(json.dumps({"percent": percent}))


if __name__ == "__main__":
    main(sys.argv[1], "snapshot" if sys.argv[2] == "snapshot" else "trace", int(sys.argv[3]))
