"""Measured cases against peers: one list, used by `ebmhw bench` and by whoever changes something that should be fast."""

from __future__ import annotations

from pathlib import Path

from ebmhw.bench.harness import DEFAULT_ROUNDS, Case, Peer, PeerMissing, Result, run_cases, selected

__all__ = ["DEFAULT_ROUNDS", "Case", "Peer", "PeerMissing", "Result", "all_cases", "run_cases", "selected"]


def all_cases(data: Path | None = None, quick: bool = False) -> list[Case]:
    """Return every case.

    Parameters
    ----------
    data : folder with files of the G-set (G1.txt, G11.txt, G14.txt, G22.txt), model solutions of GSM8K and constraint programs of logical
        deduction; without them speeds are measured on graphs like those, and the cases that are about the files are left out
    quick : smaller work, the longest cases left out
    """
    from ebmhw.bench import (
        board,
        capture,
        checking,
        coherence,
        deduction,
        gsm8k,
        hardware,
        humaneval,
        karl,
        learning,
        phi,
        quality,
        sampling,
        sat,
        serving,
        smollm2,
        startup,
        verify,
    )
    from ebmhw.bench.verification import confidence, streaming

    return [
        *sampling.cases(data, quick),
        *quality.cases(data, quick),
        *sat.cases(quick),
        *startup.cases(quick),
        *phi.cases(quick),
        *coherence.cases(quick),
        *capture.cases(quick),
        *verify.cases(quick),
        *checking.cases(quick),
        *gsm8k.cases(data),
        *deduction.cases(data, quick),
        *smollm2.cases(quick),
        *confidence.cases(data),
        *streaming.cases(quick),
        *humaneval.cases(quick),
        *learning.cases(quick),
        *serving.cases(quick),
        *karl.cases(quick),
        *hardware.cases(data, quick),
        *board.cases(quick),
    ]
