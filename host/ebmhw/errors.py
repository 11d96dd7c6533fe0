"""Every error that ebmhw raises on purpose, each kind with a stable ``code``.

The text of an error names the value, what it belongs to, the limit and the remedy. Kinds also derive from the
built-in exception that a caller would expect (``ValueError``, ``OSError``), so that plain ``except`` clauses work.
"""

from __future__ import annotations


def shown(value: object) -> str:
    """Return a value as it may stand in a message: NumPy's scalars as plain numbers, long ones cut."""
    item = getattr(value, "item", None)
    if item is not None and getattr(value, "shape", None) == ():
        value = item()
    try:
        text = repr(value)
    except ValueError:  # Python does not print integers of more than 4300 digits
        text = "a number of thousands of digits"
    return text if len(text) <= 80 else text[:77] + "..."


class EbmhwError(Exception):
    """Base of all errors of this package; ``code`` is stable across releases, the text is not."""

    code = "error"


class PrecisionWarning(UserWarning):
    """Weights of a model round to 0 in its program, so samples do not see them; the text says how to keep them."""


class InvalidModel(EbmhwError, ValueError):
    """A model (or a problem that makes one) holds a value that no energy can be made of."""

    code = "invalid-model"


class InvalidFile(EbmhwError, ValueError):
    """A file cannot be read as what it should be; the text starts with ``path:line:``, or ``path:`` where it is about the whole."""

    code = "invalid-file"


class DoesNotFit(EbmhwError, ValueError):
    """Weights or a program exceed a limit of the number formats or of a backend."""

    code = "does-not-fit"


class InvalidSchedule(EbmhwError, ValueError):
    """A schedule holds a beta or a number of sweeps that is not allowed."""

    code = "invalid-schedule"


class InvalidRun(EbmhwError, ValueError):
    """An argument of a run (reads, seed, initial states, clamps, resume) is not allowed."""

    code = "invalid-run"


class InvalidLogits(EbmhwError, ValueError):
    """Logits, or what is given along with them (chosen, vocab_size, mask), are not what entropies can be measured of."""

    code = "invalid-logits"


class BackendUnavailable(EbmhwError, RuntimeError):
    """A backend cannot work here; the text says what is missing and how to get it."""

    code = "backend-unavailable"


class NotSupported(EbmhwError, RuntimeError):
    """A backend lacks the unit or the rule that was asked for."""

    code = "not-supported"


class HardwareFault(EbmhwError, RuntimeError):
    """A unit of the hardware refused what it was sent, answered something that cannot be, or failed its self-test; its results are not used.

    Attributes
    ----------
    error : name of the unit's error code (of ``ERRORS`` in `ebmhw.contract.ising_core` or `phi_unit`), or None where it gave none
    """

    code = "hardware-fault"

    def __init__(self, text: str, error: str | None = None) -> None:
        super().__init__(text)
        self.error = error


class CoreStalled(HardwareFault):
    """A unit of the hardware did not answer in time.

    Attributes
    ----------
    arrived : the beats of its answer that had come, bytes
    """

    code = "core-stalled"

    def __init__(self, text: str, arrived: bytes = b"") -> None:
        super().__init__(text)
        self.arrived = arrived


class ContractError(EbmhwError, ValueError):
    """A register map or packet layout contradicts itself."""

    code = "contract"


class MissingExtra(EbmhwError, ImportError):
    """A library that an optional part needs is not installed; the text names the extra that brings it."""

    code = "missing-extra"


class ExtractionError(EbmhwError, ValueError):
    """A text, knowledge file or constraint program cannot be read for claims."""

    code = "extraction"


class VerificationError(EbmhwError, ValueError):
    """A pipeline was asked for what it cannot check, such as a domain that does not exist."""

    code = "verification"


class RepairError(EbmhwError, ValueError):
    """A repair was asked for that cannot be tried, such as one without an answer and without a model."""

    code = "repair"


class ModelLoadError(EbmhwError, RuntimeError):
    """A language model cannot be had; the text says what is missing and how to get it."""

    code = "model-load"


class ModelError(EbmhwError, RuntimeError):
    """A language model was asked and did not answer as it should: refused, cut, hung, or nonsense."""

    code = "model"


class PipelineTimeoutError(EbmhwError, TimeoutError):
    """A step of the pipeline did not end within its wall-clock limit."""

    code = "pipeline-timeout"


class InvalidProof(EbmhwError, ValueError):
    """A proof does not show what it claims to show; the text names the first step that fails."""

    code = "invalid-proof"


class InvalidCertificate(EbmhwError, ValueError):
    """A certificate is not what was issued, or does not belong to these texts; the text names the part that differs."""

    code = "invalid-certificate"
