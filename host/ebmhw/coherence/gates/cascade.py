"""Cascade: task rewards first; the reward of coherence joins when the run itself shows that the model has become able to do something."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, final

from ebmhw.coherence.gates.gated import GatedReward
from ebmhw.coherence.gates.rise import RiseDetector
from ebmhw.coherence.gates.signals import float_of
from ebmhw.errors import ConfigError, ValidationError, shown
from ebmhw.numbers import whole

SIGNALS = ("reward", "crystallization")


@final
class Cascade:
    """A gate before the reward of coherence: closed, then open with a weight that rises linearly to 1.

    It opens when its signal has risen and stayed up, by `ebmhw.coherence.gates.rise.RiseDetector`: no threshold in units of the signal, at most
    1 false opening in 200 runs of exchangeable noise, never on a constant. Once open it stays open.

    ===============  =============================================  ===================================================================
    signal           value of a step                                what opening means
    ===============  =============================================  ===================================================================
    reward           mean task reward of its completions            the task is done lastingly better than at any time before
    crystallization  crystallizations per 100 tokens of its traces  completions commit (phi jumps up) lastingly more often than before;
                                                                    that is a change of manner, which a better score need not follow
    ===============  =============================================  ===================================================================

    Steps are counted as a trainer does: step n is known when n updates are done. A gate that opens at step n first lets in the rewards of
    update n + 1.

    Parameters
    ----------
    signal : one of `SIGNALS`
    start : the step at which it opens whatever the signal; None for by the signal
    warmup_steps : steps until the weight is 1: it is (step - fired_at + 1) / warmup_steps before; 0 and 1 mean at once

    Attributes
    ----------
    step : the latest step known, 0 before the first
    unknown : steps whose value was None, NaN or infinite

    Raises
    ------
    ConfigError
        for arguments that are none of these.
    """

    def __init__(self, signal: str = "reward", start: int | None = None, warmup_steps: int = 10) -> None:
        if signal not in SIGNALS:
            raise ConfigError(f"signal of a cascade is {shown(signal)}; give one of {', '.join(SIGNALS)}")
        for name, value in (("start", start), ("warmup_steps", warmup_steps)):
            number = whole(value)
            if not (name == "start" and value is None) and (number is None or number < 0):
                raise ConfigError(f"{name} of a cascade is {shown(value)}; give a whole number of steps from 0 up")
        self.signal, self.start, self.warmup_steps = signal, start, warmup_steps
        self.step, self.unknown = 0, 0
        self._observed = -1
        self._fired_at: int | None = None
        self._detector = RiseDetector()

    # --- the run

    def advance(self, step: int) -> None:
        """Note that ``step`` updates are done; a smaller number than before changes nothing."""
        self.step = max(self.step, _step(step))

    def observe(self, step: int, value: float | None) -> bool:
        """Take the signal's value of a step, and return whether the gate opened at it.

        Parameters
        ----------
        step : greater than any observed before; steps may be left out
        value : None, NaN, infinities and whole numbers beyond float64 are unknown: counted, and left out
        """
        number, told = _step(step), math.nan if value is None else float_of(value)
        if told is None:
            raise ValidationError(f"value of step {number} of the cascade's signal is {shown(value)}; give a number, or None where it is unknown")
        if number <= self._observed:
            raise ValidationError(f"step {number} of the cascade's signal comes after step {self._observed}; give each step once, in order")
        self._observed = number
        self.advance(number)
        if self.start is not None or self._fired_at is not None:
            return False
        if not math.isfinite(told):
            self.unknown += 1
            return False
        if not self._detector.observe(told):
            return False
        self._fired_at = number
        self._detector = RiseDetector()
        return True

    # --- the gate

    @property
    def fired_at(self) -> int | None:
        """The step at which the gate opened, None while it is closed."""
        if self.start is not None:
            return self.start if self.step >= self.start else None
        return self._fired_at

    @property
    def watching(self) -> bool:
        """Whether the signal is still needed."""
        return self.start is None and self._fired_at is None

    def weight(self, step: int) -> float:
        """Return the weight of the rewards that are computed when ``step`` updates are done, 0 to 1."""
        opened = self.start if self.start is not None else self._fired_at
        if opened is None or step < opened:
            return 0.0
        return min(1.0, (step - opened + 1) / max(1, self.warmup_steps))

    def stage(self, step: int) -> int:
        """Return 0 while the gate is closed, 1 once it is open."""
        return int(self.weight(step) > 0)

    def wrap(self, reward: Callable[..., Any]) -> GatedReward:
        """Return a reward function that gives None for every completion while the gate is closed, and reward times weight afterwards.

        While the gate is closed the reward is not computed, unless the signal needs its traces. A reward of None or NaN is None.

        Raises
        ------
        ConfigError
            for what cannot be called, and for an async function.
        ValidationError
            by the returned function: for an infinite reward, or another number of rewards than completions.
        """
        if not callable(reward) or inspect.iscoroutinefunction(reward) or inspect.iscoroutinefunction(getattr(reward, "__call__", None)):  # noqa: B004  # an object whose __call__ is async
            raise ConfigError(f"the cascade cannot hold back {shown(reward)}; give a reward function that is not async")
        return GatedReward(self, reward)

    # --- resuming

    def state(self) -> dict[str, Any]:
        """Return what a run that is cut here needs to go on alike, as JSON can hold it."""
        return {
            **{name: getattr(self, name) for name in ("signal", "start", "warmup_steps", "step", "unknown")},
            "observed": self._observed,
            "fired_at": self._fired_at,
            "detector": self._detector.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`.

        Raises
        ------
        ValidationError
            for what is none.
        ConfigError
            for the state of a cascade with another signal or start; another warmup_steps is taken.
        """
        if not isinstance(state, Mapping) or set(state) != set(self.state()):
            raise ValidationError(f"the state of a cascade is {shown(state)}; give what state() returned")
        for name in ("signal", "start"):
            if state[name] != getattr(self, name):
                mine = getattr(self, name)
                raise ConfigError(f"the saved cascade has {name} {shown(state[name])}, this one {shown(mine)}; resume with the one that was saved")
        step, unknown, observed = (whole(state[name]) for name in ("step", "unknown", "observed"))
        fired = state["fired_at"]
        if step is None or unknown is None or observed is None or step < 0 or unknown < 0 or not -1 <= observed <= step:
            raise ValidationError(
                f"the state of a cascade counts step {shown(state['step'])}, observed {shown(state['observed'])}; give what state() returned"
            )
        if fired is not None and (whole(fired) is None or not 0 <= fired <= observed):
            raise ValidationError(f"fired_at of a cascade's state is {shown(fired)}, its last step {observed}; give what state() returned")
        detector = RiseDetector()
        detector.restore(state["detector"])
        self.step, self.unknown, self._observed, self._fired_at, self._detector = step, unknown, observed, fired, detector


def _step(step: Any) -> int:
    number = whole(step)
    if number is None or number < 0:
        raise ValidationError(f"step of a cascade is {shown(step)}; give the number of updates done, from 0 up")
    return number
