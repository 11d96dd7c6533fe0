"""Tensors of PyTorch: read in place on the host; measured where they lie on a device, with the same integers.

The path for devices is taken for tensors on the CPU too where it is asked for (`DeviceLogits`); with a GPU everything runs there as well:
``python -m pytest tests/phi/test_phi_torch.py``.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phi_cases import FAMILIES, FORMS, PhiCase, as_form, phi_cases, random_rows
from phi_conformance import assert_same_records, judge, random_cuts

from ebmhw.backends import get_backend
from ebmhw.errors import InvalidLogits
from ebmhw.phi import DeviceLogits, PhiPartials
from ebmhw.phi.logits import HostLogits, logits_of

# Importing PyTorch takes seconds, and it is no dependency of the tests.
pytestmark = pytest.mark.slow
if find_spec("torch") is None:
    pytest.skip("PyTorch is not installed", allow_module_level=True)

BACKEND = get_backend("cpu", threads=1)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture(scope="module", params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest, torch: Any) -> str:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no GPU here")
    return str(request.param)


def tensor_of(torch: Any, x: np.ndarray, device: str) -> Any:
    """The same words as a tensor."""
    words = torch.from_numpy(np.ascontiguousarray(x).view(f"i{x.dtype.itemsize}").copy()).to(device)
    return words.view(getattr(torch, x.dtype.name))


def test_tensors_of_the_host_are_read_in_place(torch: Any) -> None:
    for form in FORMS:
        tensor = torch.randn(6, 40).to(getattr(torch, form))
        for view in (tensor, tensor[:, ::3], tensor.t(), tensor[0], tensor.expand(3, 6, 40), tensor.reshape(2, 3, 40).transpose(0, 1)):
            logits = logits_of(view)
            assert isinstance(logits, HostLogits) and logits.source == form and logits.shape == tuple(view.shape)
            assert logits.words.ctypes.data == view.data_ptr()
            exact = view.to(torch.float64 if form == "float64" else torch.float32).numpy()
            assert_same_records(BACKEND.phi(view), judge().phi(exact), form)


def test_gradients_lists_and_arguments(torch: Any) -> None:
    tensor = torch.randn(4, 30, requires_grad=True)
    plain = tensor.detach().numpy()
    chosen, mask = torch.tensor([3, -100, 29, 500]), torch.tensor([True, True, True, False])
    wanted = BACKEND.phi(plain, chosen=chosen.numpy(), mask=mask.numpy())
    assert_same_records(BACKEND.phi(tensor, chosen=chosen, mask=mask), wanted, "gradient")
    assert_same_records(BACKEND.phi(torch.nn.Parameter(tensor.detach()), chosen=chosen, mask=mask.int()), wanted, "parameter")
    assert tensor.grad is None and tensor.requires_grad


def test_tensors_that_are_refused(torch: Any) -> None:
    for tensor, text in (
        (torch.zeros(2, 3, dtype=torch.int64), "logits have dtype 'int64'; give float16"),
        (torch.zeros(2, 3, dtype=torch.complex64), "logits have dtype 'complex64'"),
        (torch.zeros(2, 3).to_sparse(), "sparse_coo tensor on cpu; give one with plain entries"),
        (torch.zeros(2, 3, device="meta"), "tensor on meta"),
        (torch.tensor(1.0), "logits are a single number"),
    ):
        with pytest.raises(InvalidLogits, match=text):
            BACKEND.phi(tensor)
    with pytest.raises(InvalidLogits, match="chosen has dtype float32"):
        BACKEND.phi(torch.zeros(2, 3), chosen=torch.zeros(2))


def test_random_calls_on_a_device(torch: Any, device: str) -> None:
    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(case=phi_cases(most_entries=700))
    def check(case: PhiCase) -> None:
        x = case.logits.astype(case.logits.dtype.newbyteorder("=")) if case.form != "bfloat16" else case.logits
        logits = DeviceLogits(tensor_of(torch, x, device))
        got = BACKEND.phi(logits, **case.options)
        assert got.info["device"].partition(":")[0] == device and got.info.get("arrays", "torch") == "torch"
        assert_same_records(got, judge().phi(x, **case.options), case.label)

    check()


@pytest.mark.parametrize("form", FORMS)
def test_every_family_on_a_device(torch: Any, device: str, form: str) -> None:
    rng = np.random.default_rng(FORMS.index(form))
    for family in FAMILIES:
        with np.errstate(all="ignore"):
            tensor = tensor_of(torch, random_rows(rng, family, 3, 1000), device).to(getattr(torch, form))
        chosen = torch.from_numpy(rng.integers(0, 1000, 3)).to(device)
        exact = tensor.cpu().to(torch.float64 if form == "float64" else torch.float32).numpy()
        wanted = judge().phi(exact, chosen=chosen.cpu().numpy())
        assert_same_records(BACKEND.phi(DeviceLogits(tensor), chosen=chosen), wanted, f"{form} {family}")
        if device != "cpu":
            assert_same_records(BACKEND.phi(tensor, chosen=chosen), wanted, f"{form} {family}, unasked")
        # The others take what they need to the host.
        assert_same_records(judge().phi(DeviceLogits(tensor), chosen=chosen), wanted, f"{form} {family}, golden")


def test_strides_and_blocks_on_a_device(torch: Any, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from ebmhw.phi import device as module

    monkeypatch.setattr(module, "_DEVICE_ENTRIES", 1000)
    monkeypatch.setitem(module._BLOCK_ENTRIES, "cpu", 1000)
    x = torch.randn(4, 5, 300).to(device)
    for view in (x, x[..., ::2], x.transpose(0, 1), x[0, 0], x[:, 0], x.expand(2, 4, 5, 300), x.permute(1, 2, 0)):
        assert_same_records(BACKEND.phi(DeviceLogits(view)), judge().phi(view.cpu().numpy()), str(view.stride()))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_shards_of_a_device_merge_with_those_of_the_host(torch: Any, device: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = as_form(random_rows(rng, str(rng.choice(FAMILIES)), 3, 200), "float32")
    chosen = rng.integers(0, 200, 3)
    shards = []
    for start, stop in random_cuts(rng, 200):
        part = np.ascontiguousarray(x[:, start:stop])
        given_ = part if rng.random() < 0.5 else DeviceLogits(tensor_of(torch, part, device))
        shards.append(BACKEND.phi_partial(given_, start, chosen=chosen))
        assert_same_records(shards[-1], judge().phi_partial(part, start, chosen=chosen), "shard")
    whole = judge().phi(x, chosen=chosen)
    merged = PhiPartials.merge(shards).records(200)
    for name in ("phi_q20", "entropy_q20", "log_z_q20", "chosen_log2p_q20", "z1", "z2", "flags"):
        assert np.array_equal(getattr(merged, name), getattr(whole, name)), name


def test_dlpack_of_a_device_goes_through_pytorch(torch: Any, device: str) -> None:
    tensor = torch.randn(3, 50).to(device)

    class Foreign:
        """An array of another library, in the memory of a device."""

        def __dlpack__(self, **options: Any) -> Any:
            return tensor.__dlpack__(**options)

        def __dlpack_device__(self) -> tuple[int, int]:
            # PyTorch's own reading of the capsule goes by what is in it.
            return (2, 0) if sys._getframe(1).f_code.co_name == "_elsewhere" else tensor.__dlpack_device__()

    logits = logits_of(Foreign())
    assert isinstance(logits, DeviceLogits)
    assert_same_records(BACKEND.phi(Foreign()), judge().phi(tensor.cpu().numpy()), "dlpack")

    class Broken(Foreign):
        """One whose capsule is none."""

        def __dlpack__(self, **options: Any) -> Any:
            return None

    with pytest.raises(InvalidLogits, match=r"Broken that PyTorch cannot read"):
        logits_of(Broken())
    with pytest.MonkeyPatch.context() as patch, pytest.raises(InvalidLogits, match=r"Foreign in the memory of a device.*ebmhw\[torch\]"):
        patch.setitem(sys.modules, "torch", None)
        logits_of(Foreign())


def test_memory_on_a_device_is_bounded(torch: Any, device: str) -> None:
    if device == "cpu":
        pytest.skip("the memory of a GPU is what is counted")
    x = torch.randn(8192, 32768, device=device, dtype=torch.bfloat16)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    r = BACKEND.phi(x)
    peak = torch.cuda.max_memory_allocated() - before
    print(f"{x.shape[0] / r.info['timing']['run_s']:,.0f} tokens/s, V = {x.shape[1]}, {peak / 2**30:.2f} GiB beside the logits")
    assert peak < 3 * 2**30
    assert_same_records(r[::1000], _numbered(judge().phi(x[::1000].float().cpu().numpy()), range(0, 8192, 1000)), "large")


def _numbered(records: Any, numbers: Any) -> Any:
    array = records.array.copy()
    array["job_id"] = list(numbers)
    return type(records)(array)
