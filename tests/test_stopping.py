"""What Ctrl-C does not cut in two."""

from __future__ import annotations

import signal
import threading

import pytest

from ebmhw.stopping import uninterrupted


def test_ctrl_c_waits_for_the_end_of_what_is_within() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt):
        with uninterrupted():
            done.append(1)
            signal.raise_signal(signal.SIGINT)
            done.append(2)
        done.append(3)
    assert done == [1, 2]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_within_passes_and_the_handler_is_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError, match="within"), uninterrupted():
        raise ValueError("within")
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_change_nothing() -> None:
    seen: list[object] = []

    def work() -> None:
        with uninterrupted():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert seen == [signal.getsignal(signal.SIGINT)]
