"""task_of: whatever names or describes a task, as a Task."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ebmhw.coherence.tasks.arithmetic import ArithmeticTask
from ebmhw.coherence.tasks.file import FileTask
from ebmhw.coherence.tasks.task import Task
from ebmhw.config.nearest import proposal
from ebmhw.errors import ConfigError, shown

_CHOICES = "give 'arithmetic', the path of a .jsonl file, or a mapping with 'name: arithmetic' or 'file: PATH' and the task's options"


def task_of(spec: Any) -> Task:
    """Return the task that ``spec`` is or describes.

    Parameters
    ----------
    spec : a `Task`; "arithmetic"; the path of a JSON-lines file; a mapping with "name" or "file", and options of `ArithmeticTask` or `FileTask`

    Raises
    ------
    ConfigError : it is none of these, or an option does not exist or holds a value that it cannot
    InvalidFile : of `FileTask`
    """
    if isinstance(spec, Task):
        return spec
    if isinstance(spec, str):
        if spec == "arithmetic":
            return ArithmeticTask()
        if spec.endswith(".jsonl"):
            return FileTask(spec)
        raise ConfigError(f"task {shown(spec)} does not exist; {_CHOICES}")
    if not isinstance(spec, Mapping):
        raise ConfigError(f"{shown(spec)} is no task; {_CHOICES}")
    options = dict(spec)
    if ("name" in options) == ("file" in options):
        raise ConfigError(f"the task {shown(options)} has {'both' if 'name' in options else 'neither'} 'name' and 'file'; {_CHOICES}")
    if "file" in options:
        path = options.pop("file")
        if not isinstance(path, str) or not path or "\0" in path:
            raise ConfigError(f"'file' of the task is {shown(path)}; give the path of a file of JSON lines")
        _check(options, FileTask)
        return FileTask(path, **options)
    name = options.pop("name")
    if name != "arithmetic":
        raise ConfigError(f"task {shown(name)} does not exist; {_CHOICES}")
    _check(options, ArithmeticTask)
    if "kinds" in options and not isinstance(options["kinds"], (list, tuple)):
        raise ConfigError(f"kinds of the task arithmetic is {shown(options['kinds'])}; give a list, such as ['1+', '2-']")
    return ArithmeticTask(**options)


def _check(options: Mapping[Any, Any], kind: type[Task]) -> None:
    known = [name for name in inspect.signature(kind).parameters if name != "path"]
    for name in options:
        if name not in known:
            raise ConfigError(f"option {shown(name)} of the task does not exist; {proposal(name, known)}")
