"""FunctionModel: a plain function as a language model."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from ebmhw.errors import ModelError, shown
from ebmhw.verify.models.language_model import Completion, LanguageModel, Message, Sampling, as_plain_text, check_unicode
from ebmhw.verify.models.within import TimeOver, within


@final
class FunctionModel(LanguageModel):
    """Asks a function that takes a prompt and returns an answer.

    A single message is given as it stands; a longer conversation as text, "User: ...", "Assistant: ...". The function is called n times;
    max_tokens, temperature and seed are not passed on, and there are no log-probabilities.

    It runs in a thread of its own, so that its wall-clock limit holds. A function that does not return in time cannot be stopped: it goes
    on in the background, and its answer is dropped. What must be stopped belongs behind an endpoint.
    """

    def __init__(self, function: Callable[[str], str], name: str | None = None) -> None:
        self._function = function
        self._name = name if name is not None else f"function {getattr(function, '__name__', type(function).__name__)}"

    @property
    def name(self) -> str:
        """The name given, or "function " and the function's own."""
        return self._name

    def _answers(self, turns: tuple[Message, ...], sampling: Sampling) -> list[Completion]:
        """Return what n calls returned."""
        prompt = turns[0].content if len(turns) == 1 else as_plain_text(turns)
        found: list[Completion] = []
        while len(found) < sampling.n:
            try:
                answer: object = within(sampling.deadline, lambda: self._function(prompt))
            except TimeOver:
                if found:
                    return found
                raise ModelError(f"{self.name} did not return within {sampling.deadline.seconds:g} s; give a larger time_limit") from None
            except (Exception, SystemExit) as error:
                raise ModelError(f"{self.name} raised {type(error).__name__}: {error}") from error
            if not isinstance(answer, str):
                raise ModelError(f"{self.name} returned {shown(answer)}, a {type(answer).__name__}; it must return text (str)")
            check_unicode(answer, self.name)
            found.append(Completion(answer, None, None, "stop"))
        return found
