"""tasks: what a model is trained for and judged by: prompts, and a score of what it answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.coherence.tasks.arithmetic import ArithmeticTask
    from ebmhw.coherence.tasks.choose import task_of
    from ebmhw.coherence.tasks.file import FileTask
    from ebmhw.coherence.tasks.task import Example, Task, TaskReward

_HOMES = {
    "ArithmeticTask": "arithmetic",
    "Example": "task",
    "FileTask": "file",
    "Task": "task",
    "TaskReward": "task",
    "task_of": "choose",
}

__all__ = ["ArithmeticTask", "Example", "FileTask", "Task", "TaskReward", "task_of"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
