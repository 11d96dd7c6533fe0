"""LearningState: everything that the next step depends on, and the file that holds it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.energy.learning.config import LearningConfig
from ebmhw.energy.npz import read_arrays
from ebmhw.errors import ConfigError, InvalidFile
from ebmhw.files import write_whole

SCHEMA = "ebmhw-learning-1"

_ARRAYS = {"parameters": "f", "change": "f", "total": "f", "chains": "i"}
_TYPES = {"f": np.dtype(np.float64), "i": np.dtype(np.int8)}


@final
@dataclass(frozen=True, eq=False)
class LearningState:
    """What is learned after ``step`` updates.

    Attributes
    ----------
    step : updates done
    parameters : float64 (size,)
    change : float64 (size,), the last update, which momentum makes again
    total : float64 (size,), sum of the parameters over the averaged steps done so far
    chains : int8 (chains, n), those of "pcd"; (0, n) of "cd"
    digest : of the data and what they are learned with
    config : as it was learned with
    """

    step: int
    parameters: npt.NDArray[np.float64]
    change: npt.NDArray[np.float64]
    total: npt.NDArray[np.float64]
    chains: npt.NDArray[np.int8]
    digest: str
    config: LearningConfig

    def __repr__(self) -> str:
        return f"LearningState(step {self.step} of {self.config.steps}, {self.parameters.size} parameters, {len(self.chains)} chains)"

    @property
    def done(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.config.steps

    @property
    def result(self) -> npt.NDArray[np.float64]:
        """The parameters learned so far: their mean over the averaged steps where some are done, else the last."""
        averaged = self.step - (self.config.steps - self.config.averaged_steps)
        return self.total / averaged if self.config.averaged_steps and averaged > 0 else self.parameters

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file (.npz) that is whole or not there; InvalidFile where it cannot be written, which leaves one that was there as it is."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        words: dict[str, Any] = {"schema": SCHEMA, "digest": self.digest, "config": self.config.to_json()}
        try:
            write_whole(path, lambda file: np.savez(file, step=np.int64(self.step), **words, **arrays))
        except OSError as error:
            raise InvalidFile(
                f"{os.fspath(path)}: the checkpoint of step {self.step} cannot be written ({error.strerror or error}); free some space, or give a "
                "file in a folder that can be written to. A checkpoint that was there is as it was"
            ) from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LearningState:
        """Return what `save` wrote.

        Raises
        ------
        InvalidFile
            for another file, or one that is damaged.
        OSError
            where it cannot be read.
        """
        name = os.fspath(path)
        held = read_arrays(path, "checkpoint of learning", "give a file that LearningState.save wrote")
        try:
            if str(held["schema"]) != SCHEMA:
                raise InvalidFile(f"{name}: its form is {str(held['schema'])!r}; this version reads {SCHEMA!r}")
            arrays = {key: held[key] for key in _ARRAYS}
            step, digest, config = int(held["step"]), str(held["digest"]), LearningConfig.from_json(str(held["config"]))
        except (KeyError, ValueError, TypeError, ConfigError) as error:
            raise InvalidFile(f"{name}: no checkpoint of learning ({error}); give a file that LearningState.save wrote") from None
        size = arrays["parameters"].shape
        wrong = [key for key, kind in _ARRAYS.items() if arrays[key].dtype != _TYPES[kind] or (kind == "f" and arrays[key].shape != size)]
        sound = not wrong and len(size) == 1 and arrays["chains"].ndim == 2 and 0 <= step <= config.steps
        if not sound or not all(np.isfinite(arrays[key]).all() for key, kind in _ARRAYS.items() if kind == "f") or (abs(arrays["chains"]) != 1).any():
            raise InvalidFile(f"{name}: a checkpoint whose parts do not fit ({', '.join(wrong) or 'shapes, step or values'}); it is damaged")
        return cls(step, arrays["parameters"], arrays["change"], arrays["total"], arrays["chains"], digest, config)
