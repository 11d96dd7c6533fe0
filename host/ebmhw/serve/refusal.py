"""Refusal: an error of a call as a client gets it, {error, message, remedy}."""

from __future__ import annotations

from typing import Any, final

from ebmhw.errors import EbmhwError
from ebmhw.redaction import without_secrets


@final
class Refusal(Exception):
    """Why a call has no result.

    Attributes
    ----------
    code : stable across releases, such as "too-large"
    message : what is wrong, with value and limit
    remedy : what to do about it
    details : further members of the answer, such as ``limit``
    """

    def __init__(self, code: str, message: str, remedy: str, **details: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.remedy, self.details = code, message, remedy, details

    def to_json(self) -> dict[str, Any]:
        """Return it as the structured content of an answer, without what looks like a secret."""
        return {"error": self.code, "message": without_secrets(self.message), "remedy": without_secrets(self.remedy), **self.details}

    @classmethod
    def of(cls, error: EbmhwError) -> Refusal:
        """Return the refusal for an error of this package; its text ends with the remedy, after a semicolon or colon."""
        told = error.to_dict()
        message: str = told["message"]
        remedy = message.rpartition("; ")[2] if "; " in message else message.rpartition(": ")[2]
        return cls(error.code, message, remedy, **({"context": told["context"]} if told["context"] else {}))
