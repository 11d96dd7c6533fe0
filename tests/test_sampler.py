"""EbmSampler: dimod's own conformance tests, and the meaning of its parameters."""

import unittest

import dimod
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw import EbmSampler
from ebmhw.errors import EbmhwError, InvalidRun, InvalidSchedule, PrecisionWarning
from ebmhw.model import Model
from ebmhw.plan import default_beta_range


def cpu_sampler():
    return EbmSampler("cpu")


def golden_sampler():
    return _Short(EbmSampler("golden"))


class _Short(dimod.Sampler):
    """The golden model with few sweeps unless told: dimod's tests ask for none in particular."""

    def __init__(self, child):
        self.child = child

    parameters = property(lambda self: self.child.parameters)
    properties = property(lambda self: self.child.properties)

    def sample(self, bqm, **parameters):
        return self.child.sample(bqm, **{"num_sweeps": 20, **parameters})


@dimod.testing.load_sampler_bqm_tests(cpu_sampler)
@dimod.testing.load_sampler_bqm_tests(golden_sampler)
class TestConformance(unittest.TestCase):
    def test_api(self):
        dimod.testing.assert_sampler_api(EbmSampler("cpu"))


@st.composite
def polynomials(draw):
    variables = draw(st.lists(st.one_of(st.integers(-3, 9), st.sampled_from(["x", "y", ("t", 1)])), min_size=1, max_size=6, unique=True))
    terms = draw(
        st.dictionaries(
            st.lists(st.sampled_from(variables), min_size=0, max_size=4, unique=True).map(lambda v: tuple(sorted(v, key=repr))),
            st.floats(-4, 4).filter(lambda w: w == 0 or abs(w) > 1e-3),
            max_size=8,
        )
    )
    return dimod.BinaryPolynomial({**{(v,): 0.0 for v in variables}, **terms}, draw(st.sampled_from(["SPIN", "BINARY"])))


@pytest.mark.filterwarnings("ignore::ebmhw.errors.PrecisionWarning")
@settings(max_examples=40, deadline=None)
@given(polynomials())
def test_poly_energies_are_of_the_callers_model(poly):
    found = EbmSampler("cpu").sample_poly(poly, num_reads=3, num_sweeps=20, seed=5)
    assert found.vartype is poly.vartype and set(found.variables) == set(poly.variables)
    for sample, energy in found.data(["sample", "energy"]):
        assert energy == pytest.approx(poly.energy(sample))


@pytest.mark.filterwarnings("ignore::ebmhw.errors.PrecisionWarning")
@settings(max_examples=25, deadline=None)
@given(polynomials())
def test_best_of_many_reads_is_the_ground_state(poly):
    exact = dimod.ExactPolySolver().sample_poly(poly).first.energy
    found = EbmSampler("cpu").sample_poly(poly, num_reads=64, num_sweeps=300, seed=1, return_best=True, coupling_bits=12)
    slack = found.info["quantisation_error"] * 2 * 64
    assert found.first.energy <= exact + slack + 1e-9


def test_same_samples_on_every_backend():
    bqm = dimod.generators.ran_r(3, 12, seed=4)
    sets = [EbmSampler(b).sample(bqm, num_reads=5, num_sweeps=30, seed=11) for b in ("cpu", "golden")]
    assert (sets[0].record.sample == sets[1].record.sample).all()


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({}, "metropolis"),
        ({"beta_range": (1.0, 1.0)}, "gibbs"),
        ({"beta_schedule_type": "custom", "beta_schedule": [0.5] * 4}, "gibbs"),
        ({"beta_schedule_type": "linear", "beta_range": (0.0, 2.0)}, "metropolis"),
        ({"proposal_acceptance_criteria": "Gibbs"}, "gibbs"),
        ({"beta_range": (1.0, 1.0), "proposal_acceptance_criteria": "Metropolis"}, "metropolis"),
    ],
)
def test_rule_follows_the_schedule_unless_told(parameters, rule):
    bqm = dimod.BinaryQuadraticModel.from_ising({0: 1.0}, {(0, 1): -1.0})
    found = EbmSampler("cpu").sample(bqm, seed=1, **parameters)
    assert found.info["rule"] == rule


def test_info_reports_what_was_run():
    bqm = dimod.BinaryQuadraticModel.from_ising({0: 0.3}, {(0, 1): -1.0}, 2.5)
    info = EbmSampler("cpu").sample(bqm, num_reads=2, num_sweeps=10, beta_range=(0.1, 3.0)).info
    assert info["backend"] == "cpu" and info["seed"] >= 0 and info["stopped_by"] is None and info["sweeps"] == 10
    assert info["scale"] == 127.0 and 0 < info["quantisation_error"] < 1 / 127
    assert info["beta_effective"] == pytest.approx([0.1, 3.0], rel=1e-4)
    assert set(info["timing"]) == {"preprocessing_ns", "sampling_ns", "postprocessing_ns"}


def test_samples_of_a_constant_schedule_follow_boltzmann():
    bqm = dimod.BinaryQuadraticModel.from_ising({"a": 0.5}, {("a", "b"): -1.0})
    reads, beta = 40_000, 0.7
    found = EbmSampler("cpu").sample(bqm, num_reads=reads, num_sweeps=30, beta_range=(beta, beta), seed=3)
    exact = dimod.ExactSolver().sample(bqm)
    weight = np.exp(-beta * exact.record.energy)
    for (sample, energy), p in zip(exact.data(["sample", "energy"], sorted_by=None), weight / weight.sum(), strict=True):
        share = np.mean((found.samples(sorted_by=None)[:, ["a", "b"]] == [sample["a"], sample["b"]]).all(axis=1))
        assert abs(share - p) < 5 * np.sqrt(p * (1 - p) / reads), energy


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_clamped_variables_keep_their_values(vartype):
    bqm = dimod.BinaryQuadraticModel({"a": 1.0, "b": -2.0}, {("a", "b"): 1.5, ("b", "c"): -1.0}, 0.0, vartype)
    low = -1 if vartype == "SPIN" else 0
    found = EbmSampler("cpu").sample(bqm, num_reads=2, num_sweeps=20, clamps={"b": low, "c": [low, 1]})
    samples = found.samples(sorted_by=None)
    assert [int(s["b"]) for s in samples] == [low, low] and [int(s["c"]) for s in samples] == [low, 1]


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_initial_states_are_where_chains_start(vartype):
    bqm = dimod.BinaryQuadraticModel({v: 0.0 for v in "cab"}, {}, 0.0, vartype)
    low = -1 if vartype == "SPIN" else 0
    start = [{"a": 1, "b": low, "c": low}, {"a": low, "b": 1, "c": 1}]
    found = EbmSampler("cpu").sample(bqm, initial_states=start, num_sweeps=0)
    assert [dict(s) for s in found.samples(sorted_by=None)] == start
    with pytest.raises(ValueError, match="insufficient number of initial states"):
        EbmSampler("cpu").sample(bqm, num_reads=3, initial_states=start, initial_states_generator="none")


def test_default_betas():
    model = Model(3, [0.5, 0, 0], [((0, 1), 2.0), ((0, 1, 2), -1.0)])
    hot, cold = default_beta_range(model)
    assert hot == pytest.approx(np.log(2) / (2 * 3.5)) and cold == pytest.approx(np.log(100) / (2 * 0.5))
    assert default_beta_range(Model(2, None, [])) == (0.1, 1.0)


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"num_reads": 0}, InvalidRun, "num_reads is 0"),
        ({"num_sweeps": -1}, InvalidSchedule, "num_sweeps is -1"),
        ({"num_sweeps": 10, "num_sweeps_per_beta": 3}, InvalidSchedule, "num_sweeps_per_beta=3 divides"),
        ({"num_sweeps_per_beta": 0}, InvalidSchedule, "num_sweeps_per_beta is 0"),
        ({"beta_range": (0.0, 1.0)}, InvalidSchedule, "both ends must be finite and above 0"),
        ({"beta_range": (1.0, float("nan"))}, InvalidSchedule, r"beta_range is \(1.0, nan\)"),
        ({"beta_range": (1.0,)}, InvalidSchedule, r"beta_range is \(1.0,\)"),
        ({"beta_schedule_type": "cubic"}, InvalidSchedule, "beta_schedule_type is 'cubic'"),
        ({"beta_schedule_type": "custom"}, InvalidSchedule, "beta_schedule is missing"),
        ({"beta_schedule": [1.0]}, InvalidSchedule, "use beta_schedule_type='custom'"),
        ({"beta_schedule_type": "custom", "beta_schedule": [1.0, -2.0]}, InvalidSchedule, "beta -2.0 of schedule entry 1"),
        ({"beta_schedule_type": "custom", "beta_schedule": [1.0], "num_sweeps": 2}, InvalidSchedule, "num_sweeps is 2"),
        ({"seed": -1}, InvalidRun, "seed is -1"),
        ({"seed": 2**64}, InvalidRun, "seed is 18446744073709551616"),
        ({"randomize_order": True}, InvalidRun, "randomize_order=True"),
        ({"proposal_acceptance_criteria": "glauber"}, InvalidRun, "'glauber'; give 'Gibbs' or 'Metropolis'"),
        ({"clamps": {"z": 1}}, InvalidRun, "'z', which is not a variable"),
        ({"clamps": {"a": 0}}, InvalidRun, "clamp of spin 0 is"),
        ({"time_limit": float("nan")}, InvalidRun, "time_limit is nan"),
        ({"interrupt_function": 3}, InvalidRun, "interrupt_function is 3"),
        ({"scale": 1}, EbmhwError, "scale=1 does not round"),
    ],
)
def test_bad_parameters_name_value_and_remedy(parameters, error, text):
    bqm = dimod.BinaryQuadraticModel.from_ising({"a": 0.25}, {("a", "b"): -1.0})
    with pytest.raises(error, match=text):
        EbmSampler("cpu").sample(bqm, **parameters)


def test_unknown_parameters_are_named_in_a_warning():
    bqm = dimod.BinaryQuadraticModel.from_ising({}, {("a", "b"): -1.0})
    with pytest.warns(dimod.exceptions.SamplerUnknownArgWarning, match="chain_strength"):
        EbmSampler("cpu").sample(bqm, chain_strength=2)


def test_interrupt_function_returns_what_is_done():
    bqm = dimod.BinaryQuadraticModel.from_ising({}, {("a", "b"): -1.0})
    found = EbmSampler("cpu").sample(bqm, num_sweeps=10**6, interrupt_function=lambda: True)
    assert found.info["stopped_by"] == "interrupt" and 1 <= found.info["sweeps"] < 10**6 and len(found) == 1


def test_weights_that_vanish_are_warned_of():
    bqm = dimod.BinaryQuadraticModel.from_ising({}, {("a", "b"): -1000.0, ("b", "c"): 1.0, ("c", "d"): 1.0})
    with pytest.warns(PrecisionWarning, match="2 of the model's weights round to 0 .* pass coupling_bits"):
        EbmSampler("cpu").sample(bqm, num_sweeps=10)
    assert EbmSampler("cpu").sample(bqm, num_reads=8, coupling_bits=12, seed=1).first.energy == -1002.0


def test_long_binary_terms_are_expanded_or_refused():
    poly = dimod.BinaryPolynomial({tuple(range(14)): 1.0, (0,): -0.5}, "BINARY")
    model = Model.from_poly(poly)
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (50, 14)) | (rng.random((50, 1)) < 0.3)
    assert model.energy(2 * bits - 1) == pytest.approx(poly.energies((bits, list(range(14)))))
    with pytest.raises(EbmhwError, match=r"40 variables .* 2\^40 .* SPIN"):
        Model.from_poly(dimod.BinaryPolynomial({tuple(range(40)): 1.0}, "BINARY"))
