"""Errors: a stable code each, kinds that plain except clauses catch, and what they tell without secrets."""

from __future__ import annotations

import inspect
import json
import pickle
import re
from typing import Any

import numpy as np
import pytest

from ebmhw import errors
from ebmhw.errors import EbmhwError, shown

KINDS = sorted((kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, EbmhwError)), key=lambda kind: kind.__name__)
BUILT_IN = {
    "ValidationError": ValueError, "ConfigError": ValueError, "CredentialError": RuntimeError, "NetworkError": OSError, "BudgetError": RuntimeError,
    "PermissionDenied": PermissionError, "TimeLimitExceeded": TimeoutError, "MissingExtra": ImportError, "ModelError": RuntimeError,
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_code_of_its_own_and_words(kind: type[EbmhwError]) -> None:
    assert re.fullmatch(r"[a-z][a-z.-]*", kind.code) and kind.__doc__
    assert [other for other in KINDS if other.code == kind.code] == [kind]
    error = kind("what is wrong")
    assert str(error) == "what is wrong" and error.context == {} and error.to_dict()["code"] == kind.code


@pytest.mark.parametrize(("name", "built_in"), BUILT_IN.items())
def test_plain_except_clauses_catch_them(name: str, built_in: type[Exception]) -> None:
    assert issubclass(getattr(errors, name), built_in)


@pytest.mark.parametrize("name", ["InvalidModel", "InvalidTrace", "InvalidLogits", "InvalidFile", "EmlError", "ContractError"])
def test_what_is_not_valid_is_a_validation_error(name: str) -> None:
    assert issubclass(getattr(errors, name), errors.ValidationError)


def test_they_tell_code_context_and_cause_without_secrets() -> None:
    secret = "hf_" + "a1B2" * 9
    try:
        try:
            raise OSError(f"refused {secret}")
        except OSError as cause:
            raise errors.NetworkError(f"no answer with api_key={secret}", context={"url": "http://x", "token": secret, "n_tokens": 3}) from cause
    except errors.NetworkError as error:
        told = error.to_dict(include_traceback=True)
    assert (
        told["code"] == "network" and told["type"] == "NetworkError" and told["context"] == {"url": "http://x", "token": "[redacted]", "n_tokens": 3}
    )
    assert told["cause"]["type"] == "OSError" and "test_errors.py" in "".join(told["traceback"])
    assert secret not in json.dumps(told, allow_nan=False)


def test_context_is_a_copy_and_may_hold_anything() -> None:
    context: dict[str, Any] = {"array": np.array([1.0, np.nan]), "self": None}
    error = EbmhwError("x", context=context)
    context["more"] = 1
    assert "more" not in error.context and json.dumps(error.to_dict(), allow_nan=False)


def test_errors_of_further_arguments_keep_them() -> None:
    assert errors.EmlError("x", "eml.decode_error").to_dict()["code"] == "eml.decode_error"
    assert errors.HardwareFault("x", "BAD_BEAT").error == "BAD_BEAT" and errors.CoreStalled("x", b"abc").arrived == b"abc"


@pytest.mark.parametrize("kind", KINDS)
def test_they_cross_processes(kind: type[EbmhwError]) -> None:
    error = kind("what is wrong", context={"limit": 3}) if "context" in inspect.signature(kind).parameters else kind("what is wrong")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and str(again) == str(error) and again.code == error.code and again.context == error.context


class Hostile:
    @property
    def item(self) -> Any:
        raise RuntimeError("no")


SHOWN: list[tuple[Any, str]] = [
    (np.float32(0.5), "0.5"), (np.int64(3), "3"), ("x" * 200, "'" + "x" * 76 + "..."), (10**5000, "a number of thousands of digits"),
    (Hostile(), "a Hostile that cannot be shown"), (None, "None"), (np.array(7), "7"),
    (np.array([[1, 2], [3, 4]]), "array([[1, 2], [3, 4]])"), ("a\nb", r"'a\nb'"),
]  # fmt: skip


def test_values_in_messages() -> None:
    for value, text in SHOWN:
        assert shown(value) == text
