"""RunFolder: what a training run keeps in its output folder, and from where it can go on."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, final

from ebmhw.coherence.training.config import RunConfig
from ebmhw.coherence.training.log import Log
from ebmhw.errors import ConfigError, InvalidFile, ValidationError, shown
from ebmhw.files import write_whole

STATE = "ebmhw.json"
"""Written last into a checkpoint: one without it is not whole."""

FREE = ("output", "steps", "checkpoint_every", "keep", "traces", "threads", "time_limit", "gate")
"""Keys that may change when a run is resumed; the others made its numbers what they are."""

_CHECKPOINT = re.compile(r"checkpoint-([0-9]{1,12})")
_ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
_STATE_BYTES = 2**24


class Checkpoint(NamedTuple):
    """A whole checkpoint.

    Attributes
    ----------
    step : updates done
    path : its folder
    state : what our own parts noted, by part
    """

    step: int
    path: Path
    state: dict[str, Any]


class Configuration(Protocol):
    """What a run is made of, of whatever kind of training."""

    @classmethod
    def from_yaml(cls, path: str | os.PathLike[str]) -> Any:
        """Return the configuration of a YAML file."""

    def to_dict(self) -> dict[str, Any]:
        """Return all keys as JSON and YAML can hold them."""

    def to_yaml(self) -> str:
        """Return the configuration as the text of a YAML file."""


@final
class RunFolder:
    """The output folder of a run: config.yaml, log.jsonl, traces.jsonl, checkpoint-N, adapter, gate.json.

    Parameters
    ----------
    path : need not be there yet
    kind : of the configurations that are kept there
    free : keys of them that may change when a run is resumed
    others : names of further files of a run, which go when it is overwritten
    """

    def __init__(
        self, path: str | os.PathLike[str], kind: type[Configuration] = RunConfig, free: Sequence[str] = FREE, others: Sequence[str] = ()
    ) -> None:
        self._kind, self._free, self._others = kind, free, others
        self.path = Path(path)
        self.config_path, self.adapter, self.gate_path = self.path / "config.yaml", self.path / "adapter", self.path / "gate.json"
        self.log, self.traces = Log(self.path / "log.jsonl"), Log(self.path / "traces.jsonl")

    @property
    def holds_run(self) -> bool:
        """Whether a run was started here."""
        return self.config_path.exists() or self.log.path.exists()

    def begin(self, config: Configuration, overwrite: bool) -> None:
        """Make the folder ready for a new run; ``overwrite`` removes what an earlier one left, and only that.

        Raises
        ------
        ConfigError : the folder holds a run, or cannot be made
        """
        if self.holds_run:
            if not overwrite:
                raise ConfigError(
                    f"output {self.path} holds a run already; --resume (resume=True) goes on with it, --overwrite (overwrite=True) "
                    "removes it, or give another folder"
                )
            self._clear()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.keep_config(config)
        except OSError as error:
            raise ConfigError(f"output {self.path} cannot be written: {error.strerror or error}; give another folder") from None

    def resume(self, config: Configuration) -> Checkpoint | None:
        """Return the last whole checkpoint of the run that is here, None where it has none yet, and cut the logs behind it.

        Raises
        ------
        ConfigError : no run is here, or it was made of other values than ``config``
        """
        if not self.config_path.exists():
            raise ConfigError(f"output {self.path} holds no run to resume; leave --resume (resume=True) away, or give the folder of one")
        earlier, now = self._kind.from_yaml(self.config_path).to_dict(), config.to_dict()
        for key, value in now.items():
            if key not in self._free and value != earlier[key]:
                raise ConfigError(
                    f"{key} is {shown(value)}, but the run in {self.path} has {shown(earlier[key])}; a resumed run may change only "
                    f"{', '.join(self._free)}",
                    context={"key": key},
                )
        found = self.checkpoints()
        last = found[-1] if found else None
        self._drop_broken(last.step if last is not None else 0)
        for log in (self.log, self.traces):
            log.cut_after(last.step if last is not None else 0)
        self.keep_config(config)
        return last

    def keep_config(self, config: Configuration) -> None:
        """Write config.yaml."""
        write_whole(self.config_path, lambda stream: stream.write(config.to_yaml().encode()))

    def checkpoints(self) -> list[Checkpoint]:
        """Return the whole checkpoints, by their step."""
        found = []
        for path in self.path.iterdir() if self.path.is_dir() else ():
            named = _CHECKPOINT.fullmatch(path.name)
            state = _state(path / STATE) if named else None
            if named and state is not None:
                found.append(Checkpoint(int(named[1]), path, state))
        return sorted(found)

    def checkpoint_path(self, step: int) -> Path:
        """Return the folder of the checkpoint after ``step`` updates, as transformers names it."""
        return self.path / f"checkpoint-{step}"

    def seal(self, step: int, state: dict[str, Any], keep: int) -> None:
        """Make a checkpoint whole by noting our own state in it, then remove all but the last ``keep`` whole ones, and broken older ones."""
        text = json.dumps(state, allow_nan=False)
        write_whole(self.checkpoint_path(step) / STATE, lambda stream: stream.write(text.encode()))
        kept = {one.path for one in self.checkpoints()[-keep:]}
        for path in self.path.iterdir():
            named = _CHECKPOINT.fullmatch(path.name)
            if named and int(named[1]) <= step and path not in kept:
                shutil.rmtree(path, ignore_errors=True)

    def _drop_broken(self, after: int) -> None:
        """Remove checkpoints of later steps, which a killed process left half written."""
        for path in list(self.path.iterdir()):
            named = _CHECKPOINT.fullmatch(path.name)
            if named and int(named[1]) > after:
                shutil.rmtree(path, ignore_errors=True)

    def put_adapter(self, write: Callable[[Path], object]) -> None:
        """Replace the adapter by what ``write`` writes into a folder, so that it is whole or the earlier one."""
        made = Path(tempfile.mkdtemp(dir=self.path, prefix=".adapter."))
        try:
            write(made)
            missing = [name for name in _ADAPTER if not (made / name).is_file()]
            if missing:
                raise ValidationError(f"an adapter without {' and '.join(missing)} was written; peft of another version? adapters need {_ADAPTER}")
            os.chmod(made, 0o755)
            old = self.path / ".adapter.old"
            shutil.rmtree(old, ignore_errors=True)
            if self.adapter.exists():
                os.replace(self.adapter, old)
            os.replace(made, self.adapter)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def put_gate(self, told: dict[str, Any]) -> None:
        """Write gate.json."""
        text = json.dumps(told, indent=2, allow_nan=False) + "\n"
        write_whole(self.gate_path, lambda stream: stream.write(text.encode()))

    def _clear(self) -> None:
        for path in (self.config_path, self.log.path, self.traces.path, self.gate_path, *(self.path / name for name in self._others)):
            path.unlink(missing_ok=True)
        for path in list(self.path.iterdir()):
            if (
                path.is_dir()
                and not path.is_symlink()
                and (_CHECKPOINT.fullmatch(path.name) or path.name == "adapter" or path.name[:9] == ".adapter.")
            ):
                shutil.rmtree(path)


def _state(path: Path) -> dict[str, Any] | None:
    """Return the state of a checkpoint, None where it is not whole."""
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > _STATE_BYTES:
            raise InvalidFile(f"{path}: the file has {path.stat().st_size} bytes; what a run notes has at most {_STATE_BYTES}: remove the checkpoint")
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, InvalidFile):
            raise
        return None
    return found if isinstance(found, dict) else None
