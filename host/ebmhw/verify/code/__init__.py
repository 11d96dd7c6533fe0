"""code: what a language model wrote in Python, read, analysed, and run in a sandbox against what it must do.

Modules
-------
blocks : Python within a text
static : what can be said without running it (domain "code")
specification : what it must do, as tests, test code, properties and limits
execution, trial, judgements : running it against that (domain "execution")
session, testing : the code's process and the judge's, and what they say to one another
values (kinds, encoding, decoding, readers, arrays, messages), wire, starter : what the sandbox and the caller share
candidate_process, instrument (rewriting, annotations, stated) : what runs in the code's process
judge_process, proxies, remote, doubts, showing : what runs in the judge's
properties : what must hold of a function for all arguments
verification : all of it in one call
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.verify.code.execution import Execution
    from ebmhw.verify.code.proxies import Handle
    from ebmhw.verify.code.session import Raised, Returned, Session, StoppedCall
    from ebmhw.verify.code.specification import Specification, Test
    from ebmhw.verify.code.testing import Judge, Judged
    from ebmhw.verify.code.verification import verify_code

_HOMES = {
    "Execution": "execution",
    "Handle": "proxies",
    "Judge": "testing",
    "Judged": "testing",
    "Raised": "session",
    "Returned": "session",
    "Session": "session",
    "Specification": "specification",
    "StoppedCall": "session",
    "Test": "specification",
    "verify_code": "verification",
}

__all__ = [
    "Execution",
    "Handle",
    "Judge",
    "Judged",
    "Raised",
    "Returned",
    "Session",
    "Specification",
    "StoppedCall",
    "Test",
    "verify_code",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
