"""Saving a calibrator as JSON, and reading it strictly."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidFile, NewerRecord, VerificationError, shown
from ebmhw.files import write_whole
from ebmhw.verify.confidence.calibrator import Calibrator
from ebmhw.verify.confidence.examples import NAMES
from ebmhw.verify.confidence.fitting import Mapping, Scorer
from ebmhw.verify.confidence.risk import GRID, Threshold
from ebmhw.verify.members import decoded

SCHEMA, VERSION = "ebmhw-calibrator", 1

BYTES = 2**24

_MEMBERS = ("schema", "version", "names", "mean", "scale", "weights", "bias", "kind", "first", "second", "threshold", "losses", "pairs", "groups")


def save(calibrator: Calibrator, path: str | os.PathLike[str]) -> None:
    """Write a calibrator, whole or not at all; VerificationError where it cannot be."""
    scorer, mapping = calibrator.scorer, calibrator.mapping
    content = {
        "schema": SCHEMA,
        "version": VERSION,
        "names": list(scorer.names),
        "mean": scorer.mean.tolist(),
        "scale": scorer.scale.tolist(),
        "weights": scorer.weights.tolist(),
        "bias": scorer.bias,
        "kind": mapping.kind,
        "first": mapping.first.tolist(),
        "second": mapping.second.tolist(),
        "threshold": calibrator.threshold._asdict(),
        "losses": calibrator.losses,
        "pairs": calibrator.pairs,
        "groups": calibrator.groups,
    }
    raw = json.dumps(content, indent=1, allow_nan=False).encode() + b"\n"
    try:
        write_whole(path, lambda stream: stream.write(raw))
    except OSError as error:
        raise VerificationError(f"{os.fspath(path)!r} cannot be written ({error.strerror or error}); give another path") from error


def load(path: str | os.PathLike[str]) -> Calibrator:
    """Return a calibrator; see `Calibrator.load`."""
    place = os.fspath(path)
    try:
        if not Path(path).is_file():
            raise InvalidFile(f"{place}: there is no regular file; give what Calibrator.save wrote")
        with open(path, "rb") as stream:
            raw = stream.read(BYTES + 1)
    except OSError as error:
        raise InvalidFile(f"{place}: it cannot be read: {error.strerror or error}") from None
    if len(raw) > BYTES:
        raise InvalidFile(f"{place}: it has more than {BYTES} bytes; a calibrator has no more")
    content = decoded(raw, str(place))

    def fail(name: str, wanted: str) -> InvalidFile:
        value = content.get(name) if isinstance(content, dict) else content
        return InvalidFile(f"{place}: {name} is {shown(value)}; it must be {wanted}")

    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise fail("schema", f"{SCHEMA!r}; this is no calibrator")
    version = content.get("version")
    if type(version) is int and version > VERSION:
        raise NewerRecord(f"{place}: version {shown(version)} of a calibrator is later than {VERSION}, the last known here; upgrade ebmhw")
    if type(version) is not int or version != VERSION:
        raise fail("version", str(VERSION))
    if set(content) != set(_MEMBERS):
        raise fail(sorted(set(content) ^ set(_MEMBERS))[0], f"there where it belongs; the members are {', '.join(_MEMBERS)}")

    def numbers(name: str, length: int | None) -> npt.NDArray[np.float64]:
        value = content[name]
        if not isinstance(value, list) or not value or not all(map(_finite, value)) or (length is not None and len(value) != length):
            raise fail(name, f"a list of {length or 'some'} finite numbers")
        return np.array(value, dtype=np.float64)

    names = content["names"]
    if not isinstance(names, list) or not names or any(name not in NAMES for name in names) or len(set(names)) < len(names):
        raise fail("names", f"some of {', '.join(NAMES)}, each once")
    scale = numbers("scale", len(names))
    if not (scale > 0).all():
        raise fail("scale", "above 0")
    if not _finite(content["bias"]):
        raise fail("bias", "a finite number")
    kind, first = content["kind"], numbers("first", None)
    second = numbers("second", len(first))
    if kind == "isotonic":
        if (np.diff(first) <= 0).any() or (np.diff(second) < 0).any() or not ((second > 0) & (second < 1)).all():
            raise fail("second", "probabilities between 0 and 1 that do not fall, at scores that rise")
    elif kind != "platt" or len(first) != 1:
        raise fail("kind", "'platt' with one slope and offset, or 'isotonic'")
    for name in ("pairs", "groups"):
        if type(content[name]) is not int or content[name] < 1:
            raise fail(name, "a whole number of at least 1")
    losses = content["losses"]
    if not isinstance(losses, dict) or not all(_finite(value) for value in losses.values()):
        raise fail("losses", "a finite number of each mapping")
    return Calibrator(
        Scorer(tuple(names), numbers("mean", len(names)), scale, numbers("weights", len(names)), float(content["bias"])),
        Mapping(kind, first, second),
        _threshold(content["threshold"], fail("threshold", "a threshold of the grid with its risk, confidence and counts")),
        {name: float(value) for name, value in losses.items()},
        content["pairs"],
        content["groups"],
    )


def _threshold(value: Any, error: InvalidFile) -> Threshold:
    if not isinstance(value, dict) or set(value) != set(Threshold._fields):
        raise error
    found = Threshold(**value)
    counts = (found.pairs, found.given, found.wrong)
    if found.at is not None and found.at not in GRID:
        raise error
    if not (_finite(found.risk) and _finite(found.confidence) and 0 < found.risk < 1 and 0 < found.confidence < 1):
        raise error
    if any(type(count) is not int for count in counts) or not 0 <= found.wrong <= found.given <= found.pairs:
        raise error
    return found


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300
