"""export: sessions as training and validation files of a format, with a manifest that says what is in them and what was left out."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np

from ebmhw.errors import ConfigError, InvalidFile, ValidationError
from ebmhw.files import write_whole
from ebmhw.karl.exports.examples import SYSTEM
from ebmhw.karl.exports.gathering import gathered, gathered_extras, weighted
from ebmhw.karl.exports.pairs import Pair, in_pairs
from ebmhw.karl.exports.rows import Example, Row, completion_rows, copied_rows, label_rows, message_rows, pair_rows, prompt_rows, write_rows
from ebmhw.karl.exports.settings import EXTRA_WEIGHT, MARGIN, Settings, checked_settings
from ebmhw.karl.exports.sources import session_values
from ebmhw.karl.exports.splitting import grouped, held_for_validation
from ebmhw.karl.exports.spool import Spool
from ebmhw.karl.record import Scored
from ebmhw.karl.selection.inputs import checked_ids
from ebmhw.karl.trajectory import Trajectory


@final
@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes
    ----------
    paths : {"train", "valid", "manifest": file}; no "valid" where everything is to train on
    counts : {"sessions" read, "examples", "train" and "valid" lines, "extra" examples}
    left_out : {why: sessions}
    """

    paths: dict[str, Path]
    counts: dict[str, int]
    left_out: dict[str, int] = field(default_factory=dict)


VERSION = 1
"""Of the manifest."""


def export(
    trajectories: Iterable[Trajectory | Scored],
    path: str | os.PathLike[str],
    format: str = "messages",
    *,
    advantages: Any = None,
    rewards: Sequence[Any] | None = None,
    weights: Any = None,
    style: str = "plan",
    system: str = SYSTEM,
    valid: float | None = None,
    seed: int = 0,
    margin: float = MARGIN,
    exclude: Iterable[str] = (),
    extra: Iterable[Mapping[str, Any]] = (),
    extra_weight: float = EXTRA_WEIGHT,
    failed: bool = False,
) -> Exported:
    """Write sessions as files for TRL's trainers, without secrets, and return what was written.

    Formats, a JSON object a line
        messages : {"messages", "weight"}, for `ebmhw.karl.training`; sessions with an advantage above 0. SFTTrainer takes it too, but trains on the
            prompt as well (unless assistant_only_loss finds marks in the chat template) and does not look at weights
        completions : {"prompt", "completion", "weight"}, the same sessions for SFTTrainer, which trains on the completion alone; it does not look at
            weights, which `ebmhw.karl.training` does
        oversampled : {"messages"}, for trainers that know no weights: training examples as often as `ebmhw.karl.baselines.copies` says, in an order
            drawn by the seed; the split comes first, and validation examples stand there once
        dpo : {"prompt", "chosen", "rejected", "margin"}, for DPOTrainer: pairs of sessions of one task, by their verified outcomes where both are
            known, else by their rewards (`ebmhw.karl.exports.pairs.paired`)
        kto : {"prompt", "completion", "label"}, for KTOTrainer: the label by the verified outcome where it is known, from .5 True, else True for an
            advantage above 0, False below
        prompts : {"prompt", "task", "domain", "session"}, each prompt of a task once, for GRPOTrainer with `karl_reward`

    In a folder: train.jsonl, valid.jsonl, and manifest.json, written last: counts, ids, what was left out and why, settings, and hashes of what was
    read and written. A path that ends in .jsonl gets all examples in that file, with its manifest beside it (``NAME.manifest.json``). The split is by
    task and by prompt: trials of one task, and equal prompts, are on one side; where that leaves none to validate, there is no valid.jsonl. Examples
    with the same prompt and answer stand there once.

    Sessions of an iterator whose first one is `Scored` and has an advantage are read one at a time (those without one are left out); others are held
    in memory, for baselines need all of them. Of an example only a few numbers are held.

    Parameters
    ----------
    trajectories : sessions, or `Scored` ones
    path : a folder, made where it is missing, or a file .jsonl
    advantages, rewards : one a session; None takes those of the records, else `ebmhw.karl.baselines.advantages` and `ebmhw.karl.reward.score`
    weights : of "messages", one a session, 0 (left out) or more; None takes the softmax of advantages at temperature 2 (`preference`), of mean 1
    style : as of `example_of`; pairs, labels and prompts take "plan"
    system : message of the system
    valid : share that validates, 0 up to below 1; None is .1 in a folder, 0 in a file
    seed : of the split and the order
    margin : of "dpo": least difference of rewards in a pair whose sessions are not both verified
    exclude : ids of sessions that are left out, such as those held out
    extra : further examples of "messages", "completions" and "oversampled", such as those of `git_questions`
    extra_weight : theirs, next to a mean of 1
    failed : whether "messages", "completions" and "oversampled", which teach to do the same, keep sessions that were verified as failed
        (``outcome.verified`` below .5), whatever their advantage

    Raises
    ------
    ValidationError : an argument is not allowed, or no example is left
    ConfigError : the folder cannot be made
    InvalidFile : a file cannot be written; what stood there before stands there still
    """
    target = Path(path)
    single = target.suffix == ".jsonl"
    settings = checked_settings(format, style, system, valid, single, seed, margin, extra_weight, failed)
    excluded = checked_ids(exclude)
    folder = target.parent if single else target
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"folder {folder} cannot be made: {error.strerror or error}; give another") from None
    left_out: Counter[str] = Counter()
    try:
        with Spool(folder) as spool:
            values = session_values(trajectories, advantages, rewards, weights, settings.format == "dpo", excluded)
            examples, read, inputs = gathered(values, settings, excluded, spool, left_out)
            pairs: list[Pair] = []
            if settings.format == "dpo":
                examples, pairs = in_pairs(examples, settings, left_out)
            extras = gathered_extras(extra, settings, spool, left_out)
            if not examples and not extras:
                told = ", ".join(f"{count} {reason}" for reason, count in sorted(left_out.items())) or "there is no session"
                none = "no task has a good and a bad session" if settings.format == "dpo" and read else "nothing is left to export"
                least = f", a lower margin than {settings.margin:g}" if settings.format == "dpo" else ""
                raise ValidationError(f"{none}: of {read} sessions {told}; give others{least}, or another format")
            every = weighted(examples) + extras
            held = held_for_validation(grouped([example.keys for example in every]), [example.id for example in every], settings.valid, settings.seed)
            sides = {"train": [one for one, late in zip(every, held, strict=True) if not late]}
            if any(held):
                sides["valid"] = [one for one, late in zip(every, held, strict=True) if late]
            paths = _paths(target, single)
            # A manifest speaks of the files beside it: none is there while they change.
            paths["manifest"].unlink(missing_ok=True)
            written = {side: write_rows(paths[side], _rows(settings, ones, pairs, side == "train", spool)) for side, ones in sides.items()}
            if "valid" in paths and "valid" not in sides:
                # An empty file is one that loaders refuse; that of an export before would be taken for this one's.
                paths.pop("valid").unlink(missing_ok=True)
            counts = {
                "sessions": read,
                "examples": len(examples),
                "extra": len(extras),
                "train": written["train"].rows,
                "valid": written["valid"].rows if "valid" in written else 0,
            }
            manifest = {
                "version": VERSION,
                "format": settings.format,
                "settings": settings._asdict(),
                "counts": counts,
                "left_out": dict(sorted(left_out.items())),
                "ids": {side: list(one.ids) for side, one in written.items()},
                "sha256": {"input": inputs, **{paths[side].name: one.sha256 for side, one in written.items()}},
            }
            write_whole(paths["manifest"], lambda stream: stream.write(json.dumps(manifest, indent=1, ensure_ascii=True).encode() + b"\n"))
            return Exported(paths, counts, dict(sorted(left_out.items())))
    except OSError as error:
        raise InvalidFile(f"{target}: cannot be written: {error.strerror or error}; make room, or give another place") from None


def _paths(target: Path, single: bool) -> dict[str, Path]:
    if single:
        return {"train": target, "manifest": target.with_suffix(".manifest.json")}
    return {"train": target / "train.jsonl", "valid": target / "valid.jsonl", "manifest": target / "manifest.json"}


def _rows(settings: Settings, examples: Sequence[Example], pairs: Sequence[Pair], train: bool, spool: Spool) -> Iterator[Row]:
    if settings.format == "messages":
        return message_rows(examples, spool)
    if settings.format == "completions":
        return completion_rows(examples, spool)
    if settings.format == "dpo":
        side = {example.id for example in examples}
        return pair_rows([pair for pair in pairs if pair.better.id in side], spool)
    if settings.format == "kto":
        return label_rows(examples, spool)
    if settings.format == "prompts":
        return prompt_rows(examples, spool)
    places = np.arange(len(examples))
    if train:
        from ebmhw.karl.baselines import copies

        counts = copies([example.advantage or 0.0 for example in examples]) if examples else np.zeros(0, dtype=np.int64)
        times = [1 if example.extra else int(count) for example, count in zip(examples, counts.tolist(), strict=True)]
        places = np.random.default_rng(settings.seed).permutation(np.repeat(places, times))
    return copied_rows(examples, places.tolist(), spool)
