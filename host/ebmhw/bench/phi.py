"""The phi unit on the CPU: tokens a second against carl-core and a one-pass log-sum-exp in NumPy, memory, bandwidth, and how far phi is off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from ebmhw.bench.harness import Case, Measure, Peer, PeerMissing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Logits = npt.NDArray[np.floating[Any]]

ROWS, _QUICK_ROWS = 256, 64
VOCABULARIES = (32_000, 128_000, 151_936)
"""Of Llama 2, Llama 3 (nearly) and Qwen 2.5."""

MAIN = 128_000
CARL_GOAL, NUMPY_GOAL = 6.0, 2.0
MEMORY_GOAL = 5.0
ERROR_GOAL = -12.0
"""log2 of the worst |phi - phi in float64|."""

_CHUNK = 1 << 16
"""Entries that NumPy works on at a time; logits, differences and powers, 768 KiB, stay in the second cache. 2^12 to 2^15 are slower."""


class Tokens(NamedTuple):
    """What all sides measure: logits float32 (T, V) and the tokens that were chosen, int64 (T,)."""

    logits: Logits
    chosen: npt.NDArray[np.int64]


def cases(quick: bool) -> list[Case]:
    """Return the cases of the phi unit; ``quick`` takes 64 tokens instead of 256."""
    rows = _QUICK_ROWS if quick else ROWS
    shape = f"{rows}x{MAIN}"
    of_rows = f"of {rows} rows of float32 logits, one thread"
    found = [
        Case(
            name=f"phi/{rows}x{vocabulary}",
            measures=f"tokens a CPU second, V = {vocabulary:,}, {of_rows}: backend.phi against CoherenceProbe.measure and a one-pass log-sum-exp",
            unit="tokens/s",
            setup=_setup(rows, vocabulary),
            ours=lambda tokens: _ours(tokens, 1),
            peers=(Peer("carl-core", _carl), Peer("NumPy, one pass", _numpy)),
            per_cpu_second=True,
            goal=CARL_GOAL if vocabulary == MAIN else None,
            goal_of="ratio",
        )
        for vocabulary in VOCABULARIES
    ]
    return [
        *found,
        Case(
            name=f"phi/{shape} one pass",
            measures=f"tokens a CPU second {of_rows}, against a log-sum-exp in NumPy that reads them once, block by block",
            unit="tokens/s",
            setup=_setup(rows, MAIN),
            ours=lambda tokens: _ours(tokens, 1),
            peers=(Peer("NumPy, one pass", _numpy),),
            per_cpu_second=True,
            goal=NUMPY_GOAL,
            goal_of="ratio",
        ),
        Case(
            name=f"phi/{shape} threads",
            measures="tokens a second of wall-clock time on two threads, against one thread",
            unit="tokens/s",
            setup=_setup(rows, MAIN),
            ours=lambda tokens: _wall(tokens, 2),
            peers=(Peer("one thread", lambda tokens: _wall(tokens, 1)),),
        ),
        Case(
            name=f"phi/{shape} bandwidth",
            measures=f"GB of logits a CPU second {of_rows}; the ratio is the share of what memchr reads, which does nothing else",
            unit="GB/s",
            setup=_setup(rows, MAIN),
            ours=lambda tokens: _scaled(_ours(tokens, 1), tokens),
            peers=(Peer("memchr", _read_only),),
            per_cpu_second=True,
        ),
        Case(
            name=f"phi/{shape} memory",
            measures=f"peak memory beyond the logits {of_rows}, in percent of the logits, of a fresh process",
            unit="%",
            ours=lambda _: _child("ours", rows),
            peers=(Peer("carl-core", lambda _: _child("carl", rows)), Peer("NumPy, one pass", lambda _: _child("numpy", rows))),
            higher_is_better=False,
            goal=MEMORY_GOAL,
            warm_up=False,
            max_rounds=3,
        ),
        Case(
            name="phi/error",
            measures="log2 of the worst |phi - phi in float64|: flat, normal, LLM-like, Zipf, masked, adversarially rounded rows of all vocabularies",
            unit="log2",
            ours=lambda _: _error(_our_phi),
            peers=(Peer("carl-core", _carl_error),),
            higher_is_better=False,
            goal=ERROR_GOAL,
            ratio=False,
            warm_up=False,
        ),
    ]


def _setup(rows: int, vocabulary: int) -> Callable[[ExitStack], Tokens]:
    return lambda _: make_tokens(rows, vocabulary)


def make_tokens(rows: int, vocabulary: int) -> Tokens:
    """Return logits like a language model's, always the same: a wide body, and twenty candidates that stand out."""
    import numpy as np

    rng = np.random.default_rng(vocabulary)
    # In place: the process whose memory is measured must not have had more before.
    logits = np.empty((rows, vocabulary), dtype=np.float32)
    for row in logits:
        rng.standard_normal(out=row, dtype=np.float32)
        row *= np.float32(2.2)
        row[rng.integers(0, vocabulary, 20)] = rng.normal(10, 4, 20)
    return Tokens(logits, rng.integers(0, vocabulary, rows))


# --- sides


def _ours(tokens: Tokens, threads: int) -> Measure:
    import ebmhw

    backend = ebmhw.get_backend("cpu", threads=threads)

    def measure(number: int) -> float:
        return float(backend.phi(tokens.logits, tokens.chosen).phi.size)

    return measure


def _carl(tokens: Tokens) -> Measure:
    from carl_core import CoherenceProbe

    probe = CoherenceProbe(vocab_size=tokens.logits.shape[1])

    def measure(number: int) -> float:
        return float(probe.measure(tokens.logits, tokens.chosen).n_tokens)

    return measure


def _numpy(tokens: Tokens) -> Measure:
    def measure(number: int) -> float:
        return float(one_pass(tokens.logits)[0].size)

    return measure


def one_pass(logits: Logits) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return log Z and the entropy, both (T,) in nats, of logits (T, V) that are read once, by blocks, with a running maximum."""
    import numpy as np

    rows, vocabulary = logits.shape
    log_z, entropy = np.empty(rows), np.empty(rows)
    below, powers = (np.empty(min(_CHUNK, vocabulary), dtype=logits.dtype) for _ in range(2))
    for number, row in enumerate(logits):
        top, total, moment = -np.inf, 0.0, 0.0
        for start in range(0, vocabulary, _CHUNK):
            block = row[start : start + _CHUNK]
            d, e = below[: block.size], powers[: block.size]
            largest = float(block.max())
            if largest > top:
                if total:
                    scale = np.exp(top - largest)
                    moment = (moment + total * (top - largest)) * scale
                    total *= scale
                top = largest
            np.exp(np.subtract(block, top, out=d), out=e)
            total += float(e.sum())
            moment += float(np.dot(e, d))
        log_z[number] = top + np.log(total)
        entropy[number] = np.log(total) - moment / total
    return log_z, entropy


def _wall(tokens: Tokens, threads: int) -> Measure:
    work = _ours(tokens, threads)

    def measure(number: int) -> float:
        began = time.perf_counter()
        return work(number) / (time.perf_counter() - began)

    return measure


def _scaled(work: Measure, tokens: Tokens) -> Measure:
    return lambda number: work(number) * tokens.logits.nbytes / len(tokens.logits) / 1e9


def _read_only(tokens: Tokens) -> Measure:
    """Look for a byte that does not occur in as many bytes as the logits have."""
    import ctypes

    import numpy as np

    try:
        memchr = ctypes.CDLL(None).memchr
    except (TypeError, OSError, AttributeError):
        raise PeerMissing("peer memchr: this system's C library is not reached by name") from None
    memchr.restype, memchr.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
    # Ones, since pages that were never written share one page of zeros.
    other = np.ones(tokens.logits.nbytes, dtype=np.uint8)

    def measure(number: int) -> float:
        assert memchr(other.ctypes.data, 2, other.nbytes) is None
        return other.nbytes / 1e9

    return measure


# --- memory


def memory_share(module: str, *arguments: str) -> float:
    """Run ``python -m module arguments``, which prints {"percent": ...}, and return that; PeerMissing where the system tells no memory."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    if done.returncode:
        raise RuntimeError(f"the process ended with {done.returncode}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    share = json.loads(done.stdout)["percent"]
    if share is None:
        raise PeerMissing("this system does not tell how much memory a process has had")
    return float(share)


def _child(side: str, rows: int) -> Measure:
    if side == "carl":
        import carl_core  # noqa: F401  # whether it is there at all

    def measure(number: int) -> float:
        return memory_share("ebmhw.bench.phi", side, str(rows))

    return measure


def main(side: str, rows: int) -> None:
    """Measure logits in this process and print by how much its peak memory rose, in percent of their size."""
    from ebmhw.bench.child import peak_mb

    make: Callable[[Tokens], Measure] = {"ours": lambda tokens: _ours(tokens, 1), "carl": _carl, "numpy": _numpy}[side]
    # What the first call imports and sets up is no memory of the measurement.
    make(make_tokens(2, 1000))(-1)
    tokens = make_tokens(rows, MAIN)
    measure, before = make(tokens), peak_mb()
    measure(0)
    after = peak_mb()
    percent = None if before is None or after is None else (after - before) * 1e6 / tokens.logits.nbytes * 100
    print(json.dumps({"percent": percent}))


# --- error


def _our_phi(logits: Logits) -> npt.NDArray[np.float64]:
    import ebmhw

    return ebmhw.get_backend("cpu", threads=1).phi(logits).phi


def _carl_error(_: Any) -> Measure:
    from carl_core import CoherenceProbe

    def phi(logits: Logits) -> npt.NDArray[np.float64]:
        import numpy as np

        probe = CoherenceProbe(vocab_size=logits.shape[1])
        found: npt.NDArray[np.float64] = probe.measure_trace(logits, np.zeros(len(logits), dtype=np.int64)).phi
        return found

    return _error(phi)


def _error(phi: Callable[[Logits], npt.NDArray[np.float64]]) -> Measure:
    def measure(number: int) -> float:
        import numpy as np

        worst = 0.0
        for vocabulary in VOCABULARIES:
            for logits in families(vocabulary, number).values():
                worst = max(worst, float(np.abs(phi(logits) - exact_phi(logits)).max()))
        return float(np.log2(worst))

    return measure


def families(vocabulary: int, seed: int, rows: int = 2) -> dict[str, Logits]:
    """Return float32 logits (rows, vocabulary) by the name of their family."""
    import numpy as np

    rng = np.random.default_rng([vocabulary, seed])
    normal = rng.normal(0, rng.uniform(0.5, 6, (rows, 1)), (rows, vocabulary))
    masked = normal.copy()
    masked[rng.random(masked.shape) < 0.9] = -np.inf
    ranks = np.log(rng.permuted(np.tile(np.arange(1.0, vocabulary + 1), (rows, 1)), axis=1))
    made = {
        "flat": np.broadcast_to(rng.normal(0, 10, (rows, 1)), normal.shape) + rng.normal(0, 1e-3, normal.shape),
        "normal": normal,
        "LLM-like": make_tokens(rows, vocabulary).logits,
        "Zipf": -rng.uniform(0.8, 1.5, (rows, 1)) * ranks,
        "masked": masked,
        "adversarial": _adversarial(normal),
    }
    return {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in made.items()}


def _adversarial(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return values moved by less than 2^-10 so that likely entries are rounded up and the others down, as far as rounding goes."""
    import numpy as np

    from ebmhw.contract.phi_formats import EXPONENT_MULTIPLIER, EXPONENT_SHIFT, XF_FRACTION_BITS

    xf = np.round(values * 2**XF_FRACTION_BITS).astype(np.int64)[..., None] + np.arange(16)
    z = (xf * EXPONENT_MULTIPLIER + (1 << (EXPONENT_SHIFT - 1))) >> EXPONENT_SHIFT
    error = (z << EXPONENT_SHIFT) - xf * EXPONENT_MULTIPLIER
    # Entries above the mean of -log p gain, the others lose: what moves the entropy most.
    weights = np.exp(values - values.max(axis=-1, keepdims=True))
    mean = (weights * values).sum(axis=-1, keepdims=True) / weights.sum(axis=-1, keepdims=True)
    which = np.where(values > mean, error.argmax(axis=-1), error.argmin(axis=-1))
    moved: npt.NDArray[np.float64] = np.take_along_axis(xf, which[..., None], axis=-1)[..., 0] * 2.0**-XF_FRACTION_BITS
    return moved


def exact_phi(logits: Logits) -> npt.NDArray[np.float64]:
    """Return phi of logits (T, V), masked entries among V, in float64."""
    import numpy as np

    values = logits.astype(np.float64)
    values -= values.max(axis=-1, keepdims=True)
    weights = np.exp(values)
    total = weights.sum(axis=-1)
    values[weights == 0] = 0
    entropy = np.log(total) - (weights * values).sum(axis=-1) / total
    return np.asarray(1 - entropy / np.log(logits.shape[1]), dtype=np.float64)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
