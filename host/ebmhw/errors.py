"""Every error that ebmhw raises on purpose, each kind with a stable ``code``.

The text of an error names the value, what it belongs to, the limit and the remedy. Kinds also derive from the
built-in exception that a caller would expect (``ValueError``, ``OSError``), so that plain ``except`` clauses work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ebmhw.redaction import redacted, without_secrets


def shown(value: object) -> str:
    """Return a value as it may stand in a message: on one line, NumPy's scalars as plain numbers, long ones cut."""
    try:
        item = getattr(value, "item", None)
        if item is not None and getattr(value, "shape", None) == ():
            value = item()
        text = repr(value)
        if len(text.splitlines()) > 1:  # NumPy's arrays, dataclasses of others
            text = " ".join(text.split())
    except ValueError:  # Python does not print integers of more than 4300 digits
        text = "a number of thousands of digits"
    except Exception:  # whatever a foreign __repr__ raises; the error that wants to show the value matters more
        text = f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= 80 else text[:77] + "..."


class EbmhwError(Exception):
    """Base of all errors of this package; ``code`` is stable across releases, the text is not.

    Attributes
    ----------
    context : what a program may want to know besides the text, by name; empty where there is nothing
    """

    code = "error"

    def __init__(self, text: str = "", *, context: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.context: dict[str, Any] = dict(context or {})

    def to_dict(self, *, include_traceback: bool = False) -> dict[str, Any]:
        """Return code, type, message, context and cause as JSON can hold them, for logs; what looks like a secret is left out.

        See `ebmhw.redaction` for what does.
        """
        told: dict[str, Any] = {
            "code": self.code,
            "type": type(self).__name__,
            "message": without_secrets(str(self)),
            "context": redacted(self.context),
        }
        if self.__cause__ is not None:
            told["cause"] = {"type": type(self.__cause__).__name__, "message": without_secrets(str(self.__cause__))}
        if include_traceback:
            import traceback  # 2 ms, which every hook of an agent would wait for

            told["traceback"] = [without_secrets(line) for line in traceback.format_exception(type(self), self, self.__traceback__)]
        return told


class ValidationError(EbmhwError, ValueError):
    """A value, a file or a record is not what it has to be; the kinds below say which."""

    code = "validation"


class ConfigError(EbmhwError, ValueError):
    """A configuration is missing or wrong; the text names the file, the key and what may stand there."""

    code = "config"


class CredentialError(EbmhwError, RuntimeError):
    """Credentials are missing, wrong or expired."""

    code = "credential"


class NetworkError(EbmhwError, OSError):
    """Another machine, or a service on this one, could not be reached or broke off."""

    code = "network"


class BudgetError(EbmhwError, RuntimeError):
    """A limit of time, tokens or memory that the caller set does not suffice for what was asked."""

    code = "budget"


class PermissionDenied(EbmhwError, PermissionError):
    """What was asked for is not allowed here."""

    code = "permission"


class TimeLimitExceeded(EbmhwError, TimeoutError):
    """Something did not end within its limit of time."""

    code = "timeout"


class PrecisionWarning(UserWarning):
    """Weights of a model round to 0 in its program, so samples do not see them; the text says how to keep them."""


class InvalidModel(ValidationError):
    """A model (or a problem that makes one) holds a value that no energy can be made of."""

    code = "invalid-model"


class InvalidFile(ValidationError):
    """A file cannot be read as what it should be; the text starts with ``path:line:``, or ``path:`` where it is about the whole."""

    code = "invalid-file"


class DoesNotFit(ValidationError):
    """Weights or a program exceed a limit of the number formats or of a backend."""

    code = "does-not-fit"


class InvalidSchedule(ValidationError):
    """A schedule holds a beta or a number of sweeps that is not allowed."""

    code = "invalid-schedule"


class InvalidRun(ValidationError):
    """An argument of a run (reads, seed, initial states, clamps, resume) is not allowed."""

    code = "invalid-run"


class InvalidTrace(ValidationError):
    """A trace, what one is made of, or what is asked of one does not hold together."""

    code = "invalid-trace"


class InvalidTrajectory(ValidationError):
    """A record of an agent's session is none; the text names the member, its value and what may stand there."""

    code = "invalid-trajectory"


class NewerRecord(ValidationError):
    """A record or a store was written by a later version of this package, and is left as it is."""

    code = "newer-record"


class StoreError(EbmhwError, RuntimeError):
    """A store of trajectories cannot be read or written (disk full, locked, damaged); what was to be stored is where it was."""

    code = "store"


class InvalidLogits(ValidationError):
    """Logits, or what is given along with them (chosen, vocab_size, mask), are not what entropies can be measured of."""

    code = "invalid-logits"


class BackendUnavailable(EbmhwError, RuntimeError):
    """A backend cannot work here; the text says what is missing and how to get it."""

    code = "backend-unavailable"


class SandboxUnavailable(EbmhwError, RuntimeError):
    """Untrusted code cannot be confined here, so it was not run; the text says what the system lacks and how to get it."""

    code = "sandbox-unavailable"


class NotSupported(EbmhwError, RuntimeError):
    """A backend lacks the unit or the rule that was asked for."""

    code = "not-supported"


class BoardError(EbmhwError, RuntimeError):
    """The board, its image, or what is installed on it is not as it has to be."""

    code = "board"


class FirmwareError(EbmhwError, RuntimeError):
    """A bitstream, its manifest or its package cannot be made or trusted."""

    code = "firmware"


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


class ContractError(ValidationError):
    """A register map or packet layout contradicts itself."""

    code = "contract"


class MissingExtra(EbmhwError, ImportError):
    """A library that an optional part needs is not installed; the text names the extra that brings it."""

    code = "missing-extra"


class ExtractionError(ValidationError):
    """A text, knowledge file or constraint program cannot be read for claims."""

    code = "extraction"


class VerificationError(ValidationError):
    """A pipeline was asked for what it cannot check, such as a domain that does not exist."""

    code = "verification"


class RepairError(ValidationError):
    """A repair was asked for that cannot be tried, such as one without an answer and without a model."""

    code = "repair"


class ModelLoadError(EbmhwError, RuntimeError):
    """A language model cannot be had; the text says what is missing and how to get it."""

    code = "model-load"


class ModelError(EbmhwError, RuntimeError):
    """A language model was asked and did not answer as it should: refused, cut, hung, or nonsense."""

    code = "model"


class TrainingError(EbmhwError, RuntimeError):
    """A training run failed at a step; the text names the step, and from where the run can go on."""

    code = "training"


class PipelineTimeoutError(TimeLimitExceeded):
    """A step of the pipeline did not end within its wall-clock limit."""

    code = "pipeline-timeout"


class EmlError(ValidationError):
    """An expression of exp and ln cannot be built, evaluated, decoded or trusted.

    ``code`` is one of "eml.depth_exceeded", "eml.domain_error", "eml.decode_error" and "eml.signature_mismatch".
    """

    code = "eml"

    def __init__(self, text: str, code: str = "eml", *, context: Mapping[str, Any] | None = None) -> None:
        super().__init__(text, context=context)
        self.code = code


class InvalidProof(ValidationError):
    """A proof does not show what it claims to show; the text names the first step that fails."""

    code = "invalid-proof"


class InvalidCertificate(ValidationError):
    """A certificate is not what was issued, or does not belong to these texts; the text names the part that differs."""

    code = "invalid-certificate"
