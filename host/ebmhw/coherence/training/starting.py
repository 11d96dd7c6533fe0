"""What every kind of training run starts with: the libraries that it needs, and a failure that names its step."""

from __future__ import annotations

from typing import Any

from ebmhw.coherence.training.folder import Checkpoint, RunFolder
from ebmhw.errors import EbmhwError, MissingExtra, TrainingError


def run_session(session: Any, checkpoint: Checkpoint | None, folder: RunFolder) -> None:
    """Run a session from a checkpoint, or from the start.

    Raises
    ------
    TrainingError : a step failed; the text names it, and from where the run can go on
    """
    try:
        session.run(checkpoint)
    except Exception as error:
        done = folder.checkpoints()
        at = f"goes on after step {done[-1].step}" if done else "starts again at step 1, --overwrite (overwrite=True) does so with other values"
        remedy = f"{'' if done else 'there is no checkpoint yet; '}--resume (resume=True) {at}"
        kind = "" if isinstance(error, EbmhwError) else f"{type(error).__name__}: "
        raise TrainingError(
            f"step {session.step} of {session.config.steps} failed: {kind}{' '.join(str(error).split())[:1000]}; {remedy}",
            context={"step": session.step, "cause": error.code if isinstance(error, EbmhwError) else type(error).__name__},
        ) from error


def check_libraries() -> None:
    """Raise MissingExtra where a library that training needs is not installed."""
    try:
        import datasets  # noqa: F401  # what is asked is whether it is there
        import peft  # noqa: F401
        import torch  # noqa: F401
        import trl  # noqa: F401
    except ImportError as error:
        raise MissingExtra(f"training needs torch, transformers, trl, peft and datasets ({error}): pip install 'ebmhw[train]'") from None
