"""get_backend: names, the environment variable, options, and what it says of backends that are not there."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import final

import pytest

from ebmhw.backends import BACKEND_NAMES, SamplerBackend, get_backend
from ebmhw.backends.draws import Draws
from ebmhw.backends.request import RunRequest
from ebmhw.errors import BackendUnavailable, EbmhwError, InvalidRun, NotSupported
from ebmhw.model import Model
from ebmhw.schedule import Schedule


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EBMHW_BACKEND", raising=False)


@pytest.mark.parametrize("name", ["cpu", "golden"])
def test_names_give_their_backends(name: str) -> None:
    backend = get_backend(name)
    assert isinstance(backend, SamplerBackend) and backend.name == name and repr(backend) == f"<ebmhw backend {name!r}>"
    can = backend.capabilities
    assert can.units == ("ising", "phi") and can.rules == ("gibbs", "metropolis")
    assert can.coupling_bits == can.bias_bits == 18 and can.max_spins >= 5000 and can.max_slots >= 5000 and can.lanes >= 1
    info = backend.run(Model(2).compile(), Schedule.constant(1.0, 2), seed=4).info
    assert info["backend"] == name and info["seed"] == 4 and info["timing"]["run_s"] >= 0


def test_auto_is_the_cpu_and_says_why() -> None:
    for backend in (get_backend(), get_backend("auto"), get_backend("auto", threads=1)):
        assert backend.name == "cpu"
        info = backend.run(Model(2).compile(), Schedule.constant(1.0, 2)).info
        assert info["backend"] == "cpu" and info["chosen_because"].startswith("auto: the CPU, since ")
        assert backend.phi([1.0, 2.0]).info["chosen_because"] == info["chosen_because"]
    assert get_backend("cpu").run(Model(2).compile(), Schedule.constant(1.0, 1)).info["chosen_because"] is None


def test_the_environment_names_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBMHW_BACKEND", "golden")
    assert get_backend().name == "golden"
    assert get_backend("cpu").name == "cpu"
    monkeypatch.setenv("EBMHW_BACKEND", "")
    assert get_backend().name == "cpu"
    monkeypatch.setenv("EBMHW_BACKEND", "gpu")
    with pytest.raises(InvalidRun, match=r"there is no backend 'gpu' \(from EBMHW_BACKEND\); give one of 'auto', 'cpu'"):
        get_backend()
    monkeypatch.setenv("EBMHW_BACKEND", "kv260")
    with pytest.raises(BackendUnavailable, match="backend 'kv260'"):
        get_backend()


@pytest.mark.parametrize("name", ["", "CPU", "gpu", " cpu", 5, True, ["cpu"], b"cpu", ("cpu",)])
def test_unknown_names_are_refused(name: object) -> None:
    with pytest.raises(InvalidRun) as caught:
        get_backend(name)  # type: ignore[arg-type]
    assert repr(name) in str(caught.value) and all(repr(known) in str(caught.value) for known in BACKEND_NAMES)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cpu", {"arrays": "jax"}, "backend 'cpu' has no option 'arrays'; it has threads"),
        ("golden", {"threads": 2}, "backend 'golden' has no option 'threads'; it has arrays"),
        ("auto", {"thread": 2}, "backend 'auto' has no option 'thread'; it has threads"),
        ("simulated", {"lanes": 2}, "backend 'simulated' has no option 'lanes'; it has config, threads"),
        ("kv260", {"threads": 2}, "backend 'kv260' has no option 'threads'; it has bitstream, device, download"),
        ("cpu", {"threads": 0}, "threads is 0; give a whole number from 1 to 1024"),
        ("cpu", {"threads": 1025}, "threads is 1025"),
        ("cpu", {"threads": -1}, "threads is -1"),
        ("cpu", {"threads": 2.0}, "threads is 2.0"),
        ("cpu", {"threads": "2"}, "threads is '2'"),
        ("cpu", {"threads": True}, "threads is True"),
        ("golden", {"arrays": "torch"}, "arrays is 'torch'; give 'numpy' or 'jax'"),
        ("golden", {"arrays": None}, "arrays is None; give 'numpy' or 'jax'"),
        ("golden", {"arrays": ["jax"]}, r"arrays is \['jax'\]; give 'numpy' or 'jax'"),
    ],
)
def test_bad_options_are_refused(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRun, match=message):
        get_backend(name, **options)


def test_a_missing_core_is_said_with_a_remedy() -> None:
    with pytest.raises(BackendUnavailable, match=r"backend 'simulated': .*'huge'.*get_backend\('cpu'\)"):
        get_backend("simulated", config="huge")


def test_a_missing_board_is_said_with_a_remedy() -> None:
    with pytest.raises(BackendUnavailable, match=r"backend 'kv260': this is no KV260 .*use get_backend\('cpu'\)") as caught:
        get_backend("kv260")
    assert caught.value.code == "backend-unavailable"
    assert isinstance(caught.value, EbmhwError) and isinstance(caught.value, RuntimeError)


def test_threads_default_to_the_processors_of_this_process() -> None:
    assert get_backend("cpu").threads == len(os.sched_getaffinity(0))  # type: ignore[attr-defined]
    assert get_backend("cpu", threads=7).threads == 7  # type: ignore[attr-defined]
    assert get_backend("cpu", threads=None).threads >= 1  # type: ignore[attr-defined]


@final
class SamplerOnly(SamplerBackend):
    """A backend without a phi unit, such as a board of an older design."""

    name = "sampler"
    capabilities = replace(get_backend("golden").capabilities, units=("ising",))

    def _execute(self, request: RunRequest) -> Draws:
        raise AssertionError("not asked to run")


def test_no_phi_unit_is_said() -> None:
    for measure in (SamplerOnly().phi, lambda logits: SamplerOnly().phi_partial(logits, 0)):
        with pytest.raises(NotSupported, match="backend 'sampler' has no phi unit; its units are ising") as caught:
            measure([1.0, 2.0])
        assert caught.value.code == "not-supported"
