"""Settings of an export, checked."""

from __future__ import annotations

import math
from typing import NamedTuple

from ebmhw.errors import ValidationError, shown
from ebmhw.karl.exports.examples import STYLES
from ebmhw.numbers import whole

FORMATS = ("messages", "completions", "oversampled", "dpo", "kto", "prompts")

VALID = 0.1
"""Share of the examples that validate, in a folder."""

MARGIN = 0.05
"""Least difference of rewards in a pair of "dpo" whose sessions are not both verified."""

EXTRA_WEIGHT = 0.5
"""Of an example by others, next to a mean of 1."""

POSITIVE = ("messages", "completions", "oversampled")
"""Formats that teach to do the same, and so take sessions above their baseline only, and none that was verified as failed."""

WHOLE = ("messages", "oversampled")
"""Formats that can hold all that was said in a session."""


class Settings(NamedTuple):
    """What an export was asked for; names as of `ebmhw.karl.exports.export`."""

    format: str
    style: str
    system: str
    seed: int
    valid: float
    margin: float
    extra_weight: float
    failed: bool


def checked_settings(
    format: str, style: str, system: str, valid: float | None, single: bool, seed: int, margin: float, extra_weight: float, failed: bool
) -> Settings:
    """Return settings; ValidationError where one is not allowed. ``single``: everything goes into one file."""
    if format not in FORMATS:
        raise ValidationError(f"format is {shown(format)}; give one of {', '.join(FORMATS)}")
    if style not in STYLES:
        raise ValidationError(f"style is {shown(style)}; give one of {', '.join(STYLES)}")
    if style != "plan" and format not in WHOLE:
        raise ValidationError(f"style {shown(style)} is for the formats {' and '.join(WHOLE)}; {format} takes 'plan'")
    if not isinstance(system, str):
        raise ValidationError(f"system is {shown(system)}; give a text, '' for no message of the system")
    if not isinstance(failed, bool):
        raise ValidationError(f"failed is {shown(failed)}; give True to keep sessions that were verified as failed, else False")
    share = (0.0 if single else VALID) if valid is None else _number(valid, "valid", "the share of examples that validate, 0 up to below 1")
    if not 0 <= share < 1:
        raise ValidationError(f"valid is {shown(valid)}; give the share of examples that validate, 0 up to below 1")
    if single and share > 0:
        raise ValidationError(f"valid is {shown(valid)}, but everything goes into one file; give a folder, or leave it out")
    if (whole(seed) if whole(seed) is not None else -1) < 0:  # type: ignore[operator]  # it is not None
        raise ValidationError(f"seed is {shown(seed)}; give a whole number from 0 up")
    least = _number(margin, "margin", "the least difference of rewards in a pair, 0 or more")
    weight = _number(extra_weight, "extra_weight", "what an extra example weighs, above 0")
    if least < 0:
        raise ValidationError(f"margin is {shown(margin)}; give the least difference of rewards in a pair, 0 or more")
    if weight <= 0:
        raise ValidationError(f"extra_weight is {shown(extra_weight)}; give what an extra example weighs, above 0")
    return Settings(format, style, system, int(seed), share, least, weight, failed)


def _number(value: object, name: str, remedy: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValidationError(f"{name} is {shown(value)}; give {remedy}")
    return float(value)
