"""Recording: what a memory keeps of a report, or of what became of a repair."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

import ebmhw
from ebmhw.errors import VerificationError, shown
from ebmhw.redaction import without_secrets
from ebmhw.verify.certificate import text_hash
from ebmhw.verify.memory.state import NAME_LENGTH, NAMES, TEXT_LENGTH, Check, Count, Fix
from ebmhw.verify.repair import RepairReport
from ebmhw.verify.report import Report

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def check_of(report: Report | RepairReport, at: int, keep_texts: bool) -> tuple[Check, tuple[Check, ...]]:
    """Return the check of a report, and those of the repaired response where a repair worked.

    Raises
    ------
    VerificationError
        for what is neither a report nor what became of a repair.
    """
    if isinstance(report, RepairReport):
        initial = report.initial
        if not report.repaired:
            return _check(initial, None, at, keep_texts), ()
        final = report.report
        fix = Fix(_method(report), text_hash(final.texts.response), report.verdict)
        return _check(initial, fix, at, keep_texts), (_check(final, None, at, keep_texts),)
    if not isinstance(report, Report):
        raise VerificationError(f"{shown(report)} is no report; give what verify, verify_and_repair or verify_code returned")
    return _check(report, None, at, keep_texts), ()


def counts_of(report: Report | RepairReport) -> dict[tuple[str, str], Count]:
    """Return what a report adds to counters: claims by "domain/kind", and repairs by method."""
    first = report.initial if isinstance(report, RepairReport) else report
    tried = Counter(name_of(f"{claim.domain}/{claim.kind}") for claim in first.claims)
    caught = Counter(name_of(f"{claim.domain}/{claim.kind}") for claim in first.violations)
    counts = {("claim", name): Count(number, caught[name]) for name, number in tried.items()}
    if isinstance(report, RepairReport):
        methods = Counter(attempt.method for attempt in report.attempts)
        worked = _method(report) if report.repaired else None
        counts |= {("repair", method): Count(number, int(method == worked)) for method, number in methods.items()}
    return counts


def name_of(text: str) -> str:
    """Return a name by a domain of somebody else's as a memory can hold it: printable, not long, without what looks like a secret."""
    return "".join(letter for letter in without_secrets(text) if letter.isprintable())[:NAME_LENGTH] or "?"


def shape_of(question: str) -> str:
    """Return the SHA-256 of a question with each number as one mark, case folded and blanks made one."""
    return text_hash(" ".join(_NUMBER.sub("#", question.casefold()).split()))


def _check(report: Report, fix: Fix | None, at: int, keep_texts: bool) -> Check:
    texts = report.texts
    return Check(
        question=text_hash(texts.question),
        response=text_hash(texts.response),
        shape=shape_of(texts.question),
        given=_given(texts.knowledge, texts.constraints, texts.specification),
        verdict=report.verdict,
        domains=tuple(map(name_of, report.domains[:NAMES])),
        violated=tuple(sorted({(name_of(claim.domain), name_of(claim.kind)) for claim in report.violations})[:NAMES]),
        failed=tuple(sorted({name_of(failure.domain) for failure in report.failures})[:NAMES]),
        certificate=report.certificate["digest"],
        version=ebmhw.__version__,
        fix=fix,
        at=at,
        texts=(without_secrets(texts.question)[:TEXT_LENGTH], without_secrets(texts.response)[:TEXT_LENGTH]) if keep_texts else None,
    )


def _given(*texts: str | None) -> str | None:
    """Return the hash of the texts that a check rests on beside question and response; None where there are none."""
    if not any(text is not None for text in texts):
        return None
    return hashlib.sha256("\n".join("-" if text is None else text_hash(text) for text in texts).encode()).hexdigest()


def _method(report: RepairReport) -> str:
    """Return the method of the attempt whose response is the final answer; "model" where the model's other answers were better from the start."""
    return next((attempt.method for attempt in report.attempts if attempt.report is report.report), "model")
