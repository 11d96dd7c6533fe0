"""Relations between runs that hold bit for bit: symmetries of the model, and every way to cut a run into parts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, final

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ebmhw.backends import Draws, cpu, get_backend
from ebmhw.backends.base import SamplerBackend
from ebmhw.contract import stream
from ebmhw.program import Program, Row
from ebmhw.schedule import Schedule, effective_beta

BACKENDS = ("golden", "cpu")
RULES = ("gibbs", "metropolis")
Term = tuple[tuple[int, ...], int]
few = settings(deadline=None, max_examples=40)


@functools.cache
def backend(name: str) -> SamplerBackend:
    return get_backend(name, **({"threads": 1} if name == "cpu" else {}))


def assert_equal(one: Draws, other: Draws, but: tuple[str, ...] = ()) -> None:
    """Every field of the draws, but for `info` and those named."""
    for name in (f.name for f in fields(Draws)):
        if name in ("info", *but):
            continue
        a, b = getattr(one, name), getattr(other, name)
        if isinstance(a, np.ndarray):
            assert isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape, name
            assert np.array_equal(a, b), name
        else:
            assert a == b, name


def joined(parts: list[Draws]) -> dict[str, Any]:
    """The arrays of consecutive reads, put together."""
    names = ("spins", "energy", "best_spins", "best_energy", "best_sweep", "flips", "random")
    result = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    if parts[0].kept is not None:
        result["kept"] = np.concatenate([part.kept for part in parts if part.kept is not None])
    return result


@final
@dataclass(frozen=True)
class Spec:
    """A program's rows before they are written down: biases, terms and visiting order."""

    bias: tuple[int, ...]
    terms: tuple[Term, ...]
    order: tuple[int, ...]

    @property
    def n(self) -> int:
        return len(self.bias)

    def program(self) -> Program:
        rows: list[Row] = []
        for spin in self.order:
            held = [(w, tuple(s for s in members if s != spin)) for members, w in self.terms if spin in members]
            rows.append((spin, self.bias[spin], tuple(held)))
        return Program.from_rows(self.n, rows)

    def gauged(self, signs: npt.NDArray[np.int8]) -> Spec:
        """With spins renamed s -> sign s: energies of renamed states are equal."""
        terms = tuple((m, w * int(np.prod(signs[list(m)]))) for m, w in self.terms)
        return Spec(tuple(b * int(g) for b, g in zip(self.bias, signs, strict=True)), terms, self.order)

    def relabelled(self, new: list[int]) -> Spec:
        """With spin i called new[i], visited at the same place."""
        bias = [0] * self.n
        for spin, b in enumerate(self.bias):
            bias[new[spin]] = b
        return Spec(tuple(bias), tuple((tuple(sorted(new[s] for s in m)), w) for m, w in self.terms), tuple(new[s] for s in self.order))

    def with_odd_fields(self) -> Spec:
        """With biases changed by 1 where needed: a field has the parity of b + sum of J, so an odd one is never 0."""
        total = list(self.bias)
        for members, weight in self.terms:
            for spin in members:
                total[spin] += weight
        return Spec(tuple(b + (t % 2 == 0) for b, t in zip(self.bias, total, strict=True)), self.terms, self.order)


@st.composite
def specs(draw: st.DrawFn, least: int = 1, largest: int = 9, orders: int = 4) -> Spec:
    n = draw(st.integers(least, largest))
    weights = draw(st.sampled_from([st.sampled_from([-1, 1]), st.integers(-5, 5).filter(bool), st.integers(-127, 127).filter(bool)]))
    sets = st.lists(st.integers(0, n - 1), min_size=2, max_size=min(orders, n), unique=True).map(lambda m: tuple(sorted(m)))
    terms = draw(st.dictionaries(sets, weights, max_size=16)) if n > 1 else {}
    bias = draw(st.one_of(st.just([0] * n), st.lists(st.integers(-40, 40), min_size=n, max_size=n)))
    return Spec(tuple(bias), tuple(terms.items()), tuple(draw(st.permutations(range(n)))))


@st.composite
def runs(draw: st.DrawFn, spec: Spec) -> tuple[Schedule, dict[str, Any]]:
    """A schedule of a few sweeps, hot to cold for the weights of the program, and what else makes a run."""
    bounds = np.abs(np.array(spec.bias, dtype=float))
    for members, weight in spec.terms:
        bounds[list(members)] += abs(weight)
    top = max(1.0, float(bounds.max()))
    betas = draw(st.lists(st.sampled_from([0.0, 0.3, 1.0, 2.0, 6.0]), min_size=1, max_size=3))
    schedule = Schedule.custom([b / top for b in betas], draw(st.lists(st.integers(0, 4), min_size=len(betas), max_size=len(betas))))
    return schedule, {
        "seed": draw(st.integers(0, 2**64 - 1)),
        "rule": draw(st.sampled_from(RULES)),
        "first_read": draw(st.sampled_from([0, 5, 2**30 - 200])),
        "burn_in": draw(st.integers(0, 4)),
        "keep_every": draw(st.integers(1, 3)),
    }


def drawn_states(draw: st.DrawFn, reads: int, n: int) -> npt.NDArray[np.int8]:
    bits = draw(st.lists(st.integers(0, 2**n - 1), min_size=reads, max_size=reads))
    return np.where(np.array(bits)[:, None] >> np.arange(n) & 1, 1, -1).astype(np.int8)


states = st.composite(drawn_states)


# --- symmetries ----------------------------------------------------------------------------------------------------------------


def assert_renamed(one: Draws, other: Draws, rename: Callable[[npt.NDArray[np.int8]], npt.NDArray[np.int8]]) -> None:
    """The second run is the first with its states renamed; everything that is not a state is equal."""
    assert_equal(one, other, but=("spins", "best_spins", "kept", "clamped", "clamp_values", "identity"))
    assert one.kept is not None and other.kept is not None
    for a, b in ((one.spins, other.spins), (one.best_spins, other.best_spins), (one.kept, other.kept)):
        assert np.array_equal(rename(a), b)


@pytest.mark.parametrize("name", BACKENDS)
@given(data=st.data(), spec=specs())
@few
def test_gauge(name: str, data: st.DataObject, spec: Spec) -> None:
    """Flipping spins and the signs of their weights flips whole trajectories from given states.

    For metropolis always: it asks for s h <= 0, which no gauge changes. For gibbs where no field is 0: there +1 is the strong
    outcome, and the gauge would have it -1. So the biases are made odd.
    """
    schedule, run = data.draw(runs(spec))
    if run["rule"] == "gibbs":
        spec = spec.with_odd_fields()
    signs = np.array(data.draw(st.lists(st.sampled_from([-1, 1]), min_size=spec.n, max_size=spec.n)), dtype=np.int8)
    start = data.draw(states(5, spec.n))
    one = backend(name).run(spec.program(), schedule, reads=5, initial=start, **run)
    other = backend(name).run(spec.gauged(signs).program(), schedule, reads=5, initial=start * signs, **run)
    assert_renamed(one, other, lambda s: s * signs)


@pytest.mark.parametrize("name", BACKENDS)
def test_gauge_does_not_hold_for_gibbs_at_field_0(name: str) -> None:
    """The exception to the rule above: a free spin gets the same value, not the renamed one; metropolis keeps the symmetry."""
    program, schedule = Spec((0,), (), (0,)).program(), Schedule.constant(1.0, 1)
    for rule in RULES:
        up = backend(name).run(program, schedule, reads=50, seed=1, rule=rule, initial=[1]).spins
        down = backend(name).run(program, schedule, reads=50, seed=1, rule=rule, initial=[-1]).spins
        assert np.array_equal(up, down if rule == "gibbs" else -down)


@pytest.mark.parametrize("name", BACKENDS)
@given(data=st.data(), spec=specs())
@few
def test_relabelling(name: str, data: st.DataObject, spec: Spec) -> None:
    schedule, run = data.draw(runs(spec))
    new = data.draw(st.permutations(range(spec.n)))
    start = data.draw(states(4, spec.n))
    clamped = data.draw(st.dictionaries(st.integers(0, spec.n - 1), st.sampled_from([-1, 1]), max_size=2))
    renamed = np.empty_like(start)
    renamed[:, new] = start
    one = backend(name).run(spec.program(), schedule, reads=4, initial=start, clamps=clamped, **run)
    other = backend(name).run(
        spec.relabelled(new).program(), schedule, reads=4, initial=renamed, clamps={new[s]: v for s, v in clamped.items()}, **run
    )
    assert_renamed(one, other, lambda s: s[..., np.argsort(new)])


@pytest.mark.parametrize("name", BACKENDS)
@given(data=st.data(), spec=specs(), words=st.lists(st.integers(0, 2**20).map(lambda w: 2 * w), min_size=1, max_size=3))
@few
def test_twice_the_weights_at_half_the_word(name: str, data: st.DataObject, spec: Spec, words: list[int]) -> None:
    """A decision sees the product of field and temperature word alone."""
    assume(all(abs(w) <= 63 for _, w in spec.terms))
    _, run = data.draw(runs(spec))
    double = Spec(tuple(2 * b for b in spec.bias), tuple((m, 2 * w) for m, w in spec.terms), spec.order)
    cold, warm = (Schedule.custom([effective_beta(w // k) for w in words], 2) for k in (1, 2))
    one = backend(name).run(spec.program(), cold, reads=4, **run)
    other = backend(name).run(double.program(), warm, reads=4, **run)
    assert_equal(one, other, but=("energy", "best_energy", "identity"))
    assert np.array_equal(2 * one.energy, other.energy)
    assert np.array_equal(2 * one.best_energy, other.best_energy)


@pytest.mark.parametrize("name", BACKENDS)
@given(data=st.data(), spec=specs(least=2))
@few
def test_clamped_spins_are_biases_of_the_others(name: str, data: st.DataObject, spec: Spec) -> None:
    """A run with clamps is the run of the smaller program that the clamps leave; energies differ by a constant."""
    clamps = data.draw(st.dictionaries(st.integers(0, spec.n - 1), st.sampled_from([-1, 1]), min_size=1, max_size=spec.n - 1))
    schedule, run = data.draw(runs(spec))
    free = [s for s in range(spec.n) if s not in clamps]
    place = {s: i for i, s in enumerate(free)}
    bias, merged, constant = [spec.bias[s] for s in free], dict[tuple[int, ...], int](), -sum(spec.bias[s] * v for s, v in clamps.items())
    for members, weight in spec.terms:
        w = weight * int(np.prod([clamps[s] for s in members if s in clamps]))
        left = tuple(place[s] for s in members if s in place)
        if not left:
            constant -= w
        elif len(left) == 1:
            bias[left[0]] += w
        else:
            merged[left] = merged.get(left, 0) + w
    assume(all(abs(w) <= 127 for w in merged.values()))
    terms = tuple((m, w) for m, w in merged.items() if w)
    small = Spec(tuple(bias), terms, tuple(place[s] for s in spec.order if s in place))
    start = data.draw(states(4, spec.n))
    one = backend(name).run(spec.program(), schedule, reads=4, initial=start, clamps=clamps, **run)
    other = backend(name).run(small.program(), schedule, reads=4, initial=start[:, free], **run)
    assert_equal(one, other, but=("spins", "best_spins", "kept", "energy", "best_energy", "clamped", "clamp_values", "identity"))
    assert one.kept is not None and other.kept is not None
    for a, b in ((one.spins, other.spins), (one.best_spins, other.best_spins), (one.kept, other.kept)):
        assert np.array_equal(a[..., free], b)
        assert all((a[..., s] == v).all() for s, v in clamps.items())
    assert np.array_equal(one.energy, other.energy + constant)
    assert np.array_equal(one.best_energy, other.best_energy + constant)


# --- read c is a pure function -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BACKENDS)
@given(data=st.data(), spec=specs())
@few
def test_reads_do_not_depend_on_how_they_are_grouped(name: str, data: st.DataObject, spec: Spec) -> None:
    """Any split of the reads into runs, done in any order."""
    reads = data.draw(st.sampled_from([3, 33, 70]))
    schedule, run = data.draw(runs(spec))
    cuts = sorted({0, reads, *data.draw(st.lists(st.integers(1, reads - 1), max_size=3))})
    program, first = spec.program(), run.pop("first_read")
    given_states = data.draw(st.booleans())
    start = data.draw(states(reads, spec.n)) if given_states else None
    values = data.draw(states(reads, 1))[:, 0]

    def part(low: int, high: int) -> Draws:
        initial = None if start is None else start[low:high]
        return backend(name).run(
            program, schedule, reads=high - low, first_read=first + low, initial=initial, clamps={spec.n - 1: values[low:high]}, **run
        )

    spans = [(cuts[k], cuts[k + 1]) for k in range(len(cuts) - 1)]
    done = {span: part(*span) for span in data.draw(st.permutations(spans))}
    whole = part(0, reads)
    for field, array in joined([done[span] for span in spans]).items():
        assert np.array_equal(array, getattr(whole, field)), field


@given(data=st.data(), spec=specs())
@settings(deadline=None, max_examples=25)
def test_cpu_threads_batches_and_instruction_sets_do_not_show(data: st.DataObject, spec: Spec) -> None:
    reads = data.draw(st.sampled_from([1, 31, 32, 64, 97, 200]))
    schedule, run = data.draw(runs(spec))
    program = spec.program()
    golden = backend("golden").run(program, schedule, reads=reads, **run)
    with pytest.MonkeyPatch.context() as patch:
        # A byte of batch memory is less than a group takes: every group of 32 reads is its own batch.
        patch.setattr(cpu, "_BATCH_BYTES", data.draw(st.sampled_from([1, 1 << 12, 64 << 20])))
        patch.setenv("EBMHW_KERNEL", data.draw(st.sampled_from(["", "portable"])))
        for threads in (1, 3):
            assert_equal(golden, get_backend("cpu", threads=threads).run(program, schedule, reads=reads, **run))


@pytest.mark.parametrize(("before", "after"), [("golden", "golden"), ("cpu", "cpu"), ("golden", "cpu"), ("cpu", "golden")])
@given(data=st.data(), spec=specs())
@settings(deadline=None, max_examples=25)
def test_a_resumed_run_is_the_run_of_both_schedules_joined(before: str, after: str, data: st.DataObject, spec: Spec) -> None:
    reads = data.draw(st.sampled_from([2, 35]))
    schedule, run = data.draw(runs(spec))
    clamps = {0: data.draw(states(reads, 1))[:, 0]} if data.draw(st.booleans()) else None
    betas = np.repeat(schedule.betas, schedule.sweeps)
    cuts = sorted(data.draw(st.lists(st.integers(0, betas.size), min_size=1, max_size=2)))
    first, *others = np.split(betas, cuts)
    program = spec.program()
    whole = backend(before).run(program, schedule, reads=reads, clamps=clamps, **run)
    draws = backend(before).run(program, Schedule.custom(first), reads=reads, clamps=clamps, **run)
    for rest in others:
        draws = backend(after).run(program, Schedule.custom(rest), resume=draws)
    assert_equal(whole, draws)


@pytest.mark.parametrize("name", BACKENDS)
@given(data=st.data(), spec=specs())
@few
def test_schedules_are_read_sweep_by_sweep(name: str, data: st.DataObject, spec: Spec) -> None:
    """Entries may be split, and entries of 0 sweeps do nothing."""
    schedule, run = data.draw(runs(spec))
    split = Schedule.custom([9.0, *np.repeat(schedule.betas, schedule.sweeps), 3.0], [0, *[1] * schedule.total_sweeps, 0])
    program = spec.program()
    assert_equal(backend(name).run(program, schedule, reads=3, **run), backend(name).run(program, split, reads=3, **run))


# --- results, from the states of every sweep -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BACKENDS)
@given(data=st.data(), spec=specs())
@few
def test_results_follow_from_the_states_of_every_sweep(name: str, data: st.DataObject, spec: Spec) -> None:
    schedule, run = data.draw(runs(spec))
    wanted = {key: run.pop(key) for key in ("burn_in", "keep_every")}
    clamps = {spec.n - 1: 1} if data.draw(st.booleans()) else {}
    program, reads = spec.program(), 5
    start = backend(name).run(program, Schedule.custom([]), reads=reads, clamps=clamps, **run)
    every = backend(name).run(program, schedule, reads=reads, clamps=clamps, burn_in=0, keep_every=1, **run)
    draws = backend(name).run(program, schedule, reads=reads, clamps=clamps, **run, **wanted)
    assert_equal(draws, every, but=("kept", "identity"))
    assert every.kept is not None and draws.kept is not None
    path = np.concatenate([start.spins[:, None, :], every.kept], axis=1)
    assert path.shape[1] == schedule.total_sweeps + 1
    assert np.array_equal(path[:, -1], draws.spins)
    energies = program.energy(path)
    assert np.array_equal(energies[:, -1], draws.energy)
    best = energies.argmin(axis=1)  # the earliest of equals
    assert np.array_equal(best, draws.best_sweep)
    assert np.array_equal(energies.min(axis=1), draws.best_energy)
    assert np.array_equal(path[np.arange(reads), best], draws.best_spins)
    # A row is visited once a sweep, so a spin that differs between sweeps was flipped, and no other.
    assert np.array_equal((path[:, 1:] != path[:, :-1]).sum(axis=(1, 2)), draws.flips)
    assert np.array_equal(draws.kept, path[:, wanted["burn_in"] + wanted["keep_every"] :: wanted["keep_every"]])


@pytest.mark.parametrize("name", BACKENDS)
@given(data=st.data(), spec=specs())
@few
def test_kept_samples_are_the_states_of_shorter_runs(name: str, data: st.DataObject, spec: Spec) -> None:
    schedule, run = data.draw(runs(spec))
    program = spec.program()
    kept = backend(name).run(program, schedule, reads=3, **run).kept
    betas = np.repeat(schedule.betas, schedule.sweeps)
    burn_in, every = run.pop("burn_in"), run.pop("keep_every")
    assert kept is not None and kept.shape[1] == max(0, betas.size - burn_in) // every
    for k in range(kept.shape[1]):
        shorter = backend(name).run(program, Schedule.custom(betas[: burn_in + (k + 1) * every]), reads=3, **run)
        assert np.array_equal(kept[:, k], shorter.spins)
        assert shorter.kept is None


def advanced(state: tuple[int, int, int, int], draws: int) -> tuple[int, int, int, int]:
    """Return a xoshiro128++ state after some draws, in plain integers."""
    s0, s1, s2, s3 = state
    for _ in range(draws):
        t = s1 << stream.STATE_SHIFT & 0xFFFFFFFF
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= t
        s3 = (s3 << stream.STATE_ROTATION | s3 >> 32 - stream.STATE_ROTATION) & 0xFFFFFFFF
    return s0, s1, s2, s3


@pytest.mark.parametrize("name", BACKENDS)
@given(data=st.data(), spec=specs())
@few
def test_draws_are_counted(name: str, data: st.DataObject, spec: Spec) -> None:
    """One for each spin of a drawn state, clamped ones too, none for a given state; then one for each row that is executed."""
    schedule, run = data.draw(runs(spec))
    clamps = data.draw(st.dictionaries(st.integers(0, spec.n - 1), st.sampled_from([-1, 1])))
    start = data.draw(states(3, spec.n)) if data.draw(st.booleans()) else None
    draws = backend(name).run(spec.program(), schedule, reads=3, initial=start, clamps=clamps, **run)
    count = (spec.n if start is None else 0) + schedule.total_sweeps * (spec.n - len(clamps))
    expected = [advanced(stream.initial_state(run["seed"], run["first_read"] + c), count) for c in range(3)]
    assert draws.random.tolist() == [list(state) for state in expected]


@pytest.mark.parametrize("name", BACKENDS)
@given(data=st.data(), spec=specs())
@few
def test_clamps_are_written_over_the_initial_state(name: str, data: st.DataObject, spec: Spec) -> None:
    schedule, run = data.draw(runs(spec))
    clamps = data.draw(st.dictionaries(st.integers(0, spec.n - 1), st.sampled_from([-1, 1])))
    start = data.draw(states(3, spec.n))
    over = start.copy()
    for spin, value in clamps.items():
        over[:, spin] = value
    program = spec.program()
    one = backend(name).run(program, schedule, reads=3, initial=start, clamps=clamps, **run)
    assert_equal(one, backend(name).run(program, schedule, reads=3, initial=over, clamps=clamps, **run))
    none = {k: v for k, v in run.items() if k not in ("burn_in", "keep_every")}
    free, held = (backend(name).run(program, Schedule.custom([]), reads=3, clamps=c, **none) for c in (None, clamps))
    for spin in range(spec.n):
        assert (held.spins[:, spin] == clamps[spin]).all() if spin in clamps else np.array_equal(free.spins[:, spin], held.spins[:, spin])


@pytest.mark.parametrize("name", BACKENDS)
@given(data=st.data(), spec=specs())
@few
def test_metropolis_at_beta_0_flips_every_spin_every_time(name: str, data: st.DataObject, spec: Spec) -> None:
    start, sweeps = data.draw(states(2, spec.n)), data.draw(st.integers(0, 5))
    draws = backend(name).run(spec.program(), Schedule.constant(0.0, sweeps), reads=2, initial=start, rule="metropolis", seed=1)
    assert np.array_equal(draws.spins, start * (-1) ** sweeps)
    assert (draws.flips == sweeps * spec.n).all()
