"""CapturedGenerate: what stands for the generate of a model while a capture is attached."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Collection, Mapping
from types import MethodType
from typing import Any, NamedTuple, final

from ebmhw.coherence.capture.captured import Captured
from ebmhw.coherence.capture.generating import OnToken, Steps, Verdicts, ends_of, refuse_other_modes
from ebmhw.coherence.capture.recording import Recording
from ebmhw.errors import NotSupported


class Session(NamedTuple):
    """Whose calls are captured.

    Attributes
    ----------
    begin : from the prompts of a call and the ids that end a text to its recording
    on_token : called with each token
    keep : called with each call that has ended
    """

    begin: Callable[[list[list[int]], Collection[int]], Recording]
    on_token: OnToken | None
    keep: Callable[[Captured], object]


@final
class CapturedGenerate:
    """Stands for the generate of a model while a capture is attached."""

    def __init__(self, model: Any, before: Callable[..., Any], session: Session) -> None:
        self._model, self._before = model, before
        self._instance = model.__dict__.get("generate")
        self._session: Session | None = session
        self._busy = threading.Lock()
        self.__wrapped__ = before
        self.__doc__ = before.__doc__
        names = inspect.signature(before).parameters
        self._positional = [name for name, parameter in names.items() if parameter.kind is not parameter.VAR_KEYWORD]
        if not {"logits_processor", "stopping_criteria"} <= set(names):
            raise NotSupported(f"generate of {type(model).__name__} takes no logits_processor and stopping_criteria; capture cannot follow it")

    @property
    def active(self) -> bool:
        """Whether calls are still captured."""
        return self._session is not None

    def leave(self) -> None:
        """Put back what was there before, unless somebody has put something over it since; then this passes calls on."""
        self._session = None
        if self._model.__dict__.get("generate") is self:
            del self._model.__dict__["generate"]
            if self._instance is not None:
                self._model.__dict__["generate"] = self._instance

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        # A copy of the model has its own generate, and no capture.
        copied = memo.get(id(self._model))
        return self._before if copied is None else MethodType(type(copied).generate, copied)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        session = self._session
        if session is None:
            return self._before(*args, **kwargs)
        if not self._busy.acquire(blocking=False):
            raise NotSupported("this model is generating in another thread, or within itself; while captured it does one call at a time")
        try:
            return self._captured(session, dict(zip(self._positional, args, strict=False)) | kwargs)
        finally:
            self._busy.release()

    def _captured(self, session: Session, given: dict[str, Any]) -> Any:
        def setting(name: str) -> Any:
            return _setting(name, given, self._model)

        refuse_other_modes(setting)
        ends = ends_of(setting("eos_token_id"))
        verdicts = Verdicts(given.get("stopping_criteria") or [], setting("stop_strings"), given.get("tokenizer"))
        steps = Steps(lambda prompts: session.begin(prompts, ends), verdicts, session.on_token, given.get("attention_mask"))
        hook = self._model.register_forward_hook(steps.forward, with_kwargs=True)
        complete = False
        try:
            result = self._before(
                **given
                | {
                    "logits_processor": [steps.process, *(given.get("logits_processor") or [])],
                    "stopping_criteria": [*verdicts.criteria, steps.finished],
                }
            )
            complete = True
            return result
        finally:
            hook.remove()
            steps.release()
            if steps.recording is not None:
                session.keep(steps.recording.captured(complete))


def _setting(name: str, given: Mapping[str, Any], model: Any) -> Any:
    """Return what holds of an argument: that of the call, else of the config of the call, else of the model's."""
    for value in (given.get(name), getattr(given.get("generation_config"), name, None), getattr(model.generation_config, name, None)):
        if value is not None:
            return value
    return None
