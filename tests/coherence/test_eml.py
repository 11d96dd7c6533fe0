"""Expressions of eml: their values, gradients, identity and limits, judged by an evaluator written anew and by central differences."""

from __future__ import annotations

import cmath
import copy
import math
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from eml_cases import PEERS, node, trees
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.coherence.eml import CLAMP_X, EPS, MAX_DEPTH, EMLNode, EMLOp, EMLTree, eml, eml_array, eml_scalar_reward
from ebmhw.errors import EmlError

NUMBERS = st.floats(-100, 100)


def judged(told: dict[str, Any], x: list[float]) -> float:
    """Evaluate a canonical dict with the definition, written out."""
    if told["op"] == 0:
        return float(told["const"])
    if told["op"] == 1:
        return x[told["var_idx"]]
    left, right = judged(told["left"], x), judged(told["right"], x)
    return math.e ** max(-20.0, min(20.0, left)) - math.log(right if right > 1e-12 else 1e-12)


# --- the operation


@given(NUMBERS, NUMBERS)
def test_operation_is_its_definition(x: float, y: float) -> None:
    expected = math.exp(max(-20, min(20, x))) - math.log(max(y, 1e-12))
    assert eml(x, y) == expected
    assert np.allclose(eml_array([x, x], y), expected, rtol=1e-14)
    assert eml_scalar_reward(x, y) == expected


def test_operation_is_guarded_at_its_limits() -> None:
    assert eml(1e300, 1) == eml(CLAMP_X, 1) and eml(-1e300, 1) == eml(-CLAMP_X, 1)
    assert eml(0, -5) == eml(0, 0) == eml(0, EPS) == 1 - math.log(EPS)
    assert eml(CLAMP_X, 1) > eml(19.9, 1) and eml(0, 2 * EPS) < eml(0, EPS)


def test_unknown_numbers_stay_unknown_in_arrays_and_are_refused_alone() -> None:
    got = eml_array([0.0, np.nan, 1.0], [1.0, 1.0, None])
    assert got[0] == 1 and np.isnan(got[1:]).all()
    for x, y in ((math.nan, 1.0), (1.0, math.nan), (math.inf, 1.0), (1.0, math.inf), ("1", 1.0), (None, 1.0), (1j, 1.0), ([1.0], 1.0)):
        with pytest.raises(EmlError, match="give") as caught:
            eml(x, y)  # type: ignore[arg-type]
        assert caught.value.code == "eml.domain_error"
    with pytest.raises(EmlError, match="infinite"):
        eml_array([math.inf], 1)


# --- trees


@given(trees(), st.integers(0, 2**32 - 1))
def test_values_are_those_of_an_independent_evaluator(tree: EMLTree, seed: int) -> None:
    x = np.random.default_rng(seed).normal(0.5, 1, (5, tree.input_dim))
    expected = [judged(tree.root.to_canonical_dict(), row) for row in x.tolist()]
    # A rounding within the argument of exp, at most 20, grows by as much.
    assert np.allclose(tree.forward_batch(x), expected, rtol=1e-9, atol=1e-9)
    assert np.array_equal([tree.forward(row) for row in x], tree.forward_batch(x))


def stepped(told: dict[str, Any], x: list[complex], constants: Iterator[complex]) -> complex:
    """Evaluate a canonical dict over complex numbers: an imaginary step h of an argument gives the slope by it as imaginary part / h, unrounded."""
    if told["op"] == 0:
        return next(constants)
    if told["op"] == 1:
        return x[told["var_idx"]]
    left, right = stepped(told["left"], x, constants), stepped(told["right"], x, constants)
    first = cmath.exp(left) if abs(left.real) < 20 else complex(math.exp(max(-20.0, min(20.0, left.real))))
    return first - (cmath.log(right) if right.real > 1e-12 else complex(math.log(1e-12)))


@given(trees(), st.integers(0, 2**32 - 1))
def test_gradients_are_those_of_complex_steps(tree: EMLTree, seed: int) -> None:
    x = np.random.default_rng(seed).normal(0.5, 1, (1, tree.input_dim))
    told = tree.gradients(x)
    assert np.array_equal(told.values, tree.forward_batch(x))
    arguments = np.concatenate([x[0], tree.leaf_params]).astype(complex)
    for k, got in enumerate(np.concatenate([told.inputs[0], told.params[0]]).tolist()):
        moved = (arguments + 1e-100j * (np.arange(len(arguments)) == k)).tolist()
        value = stepped(tree.root.to_canonical_dict(), moved[: tree.input_dim], iter(moved[tree.input_dim :]))
        assert math.isclose(got, value.imag / 1e-100, rel_tol=1e-6, abs_tol=1e-80)


@given(trees(depth=3, leaves=st.floats(0.1, 2)), st.integers(0, 2**32 - 1))
def test_gradients_are_those_of_central_differences(tree: EMLTree, seed: int) -> None:
    x = np.random.default_rng(seed).uniform(0.1, 1, (3, tree.input_dim))
    told, h = tree.gradients(x), 1e-6
    for k in range(tree.input_dim):
        values = [tree.forward_batch(x + step * h * np.eye(tree.input_dim)[k]) for step in (-2, -1, 1, 2)]
        near, far = (values[2] - values[1]) / (2 * h), (values[3] - values[0]) / (4 * h)
        # The differences hold the rounding of the values; where they disagree beyond it a limit of exp or ln lies within the step.
        rounding = 1e-14 * np.abs(told.values) / h + 1e-8
        sure = np.abs(near - far) <= 1e-4 * np.abs(near) + rounding
        assert np.all(np.abs(told.inputs[:, k] - near)[sure] <= (1e-3 * np.abs(near) + 10 * rounding)[sure])


def test_gradients_are_known_for_exp_and_ln() -> None:
    x = np.array([[0.5], [2.0], [3.0]])
    assert np.allclose(EMLTree.exp_single().gradients(x).inputs, np.exp(x), rtol=1e-15)
    assert np.allclose(EMLTree.ln_single().gradients(x).inputs, 1 / x, rtol=1e-12)
    assert np.allclose(EMLTree.identity_deep(1).gradients(x).inputs, 1, rtol=1e-12)
    assert EMLTree.exp_single().grad_wrt_inputs([25.0]).tolist() == [0.0]
    assert EMLTree(node(0.0, 0), 1).grad_wrt_inputs([-1.0]).tolist() == [0.0]


@given(trees(leaves=st.floats(0.1, 3)), st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_gradient_of_the_loss_is_error_times_slope(tree: EMLTree, seed: int, target: float) -> None:
    x = np.random.default_rng(seed).uniform(0.1, 2, tree.input_dim)
    told = tree.gradients(x[None])
    assert np.allclose(tree.grad_wrt_params(x, target), (tree.forward(x) - target) * told.params[0], rtol=1e-12)
    assert np.array_equal(tree.grad_wrt_inputs(x), told.inputs[0])


def test_an_unknown_input_matters_where_it_is_read() -> None:
    tree = EMLTree(node(node(0, 1.0), 1.0), 2)
    x = np.array([[0.5, np.nan], [np.nan, 0.5], [0.5, 0.5]])
    assert np.isnan(tree.forward_batch(x)).tolist() == [False, True, False]
    assert tree.forward(x[0]) == tree.forward(x[2])
    told = tree.gradients(x)
    assert np.isnan(told.params[1]).all() and np.isnan(told.inputs[1]).all() and not np.isnan(told.params[[0, 2]]).any()
    with pytest.raises(EmlError, match="unknown"):
        tree.forward(x[1])


def test_no_rows_give_no_values() -> None:
    tree = EMLTree.ln_single()
    assert tree.forward_batch(np.empty((0, 1))).shape == (0,)
    assert [part.shape for part in tree.gradients(np.empty((0, 1)))] == [(0,), (0, 3), (0, 1)]


def test_known_trees() -> None:
    for x in (1e-6, 0.3, 1.0, 7.0, 1e8):
        assert EMLTree.identity(2).forward([x, 0]) == x
        assert math.isclose(EMLTree.identity_deep(1).forward([x]), x, rel_tol=1e-6)
        assert math.isclose(EMLTree.ln_single().forward([x]), math.log(x), abs_tol=1e-6)
        assert EMLTree.exp_single().forward([x]) == math.exp(min(x, 20))
    assert EMLTree.zero().forward([0.3]) == 0
    made = (EMLTree.identity(1), EMLTree.exp_single(), EMLTree.ln_single(), EMLTree.identity_deep(1), EMLTree.zero())
    assert [(tree.depth(), tree.nodes(), len(tree.leaf_params)) for tree in made] == [(0, 1, 0), (1, 3, 1), (3, 7, 3), (4, 9, 4), (3, 7, 4)]
    assert repr(EMLTree.exp_single()) == "EMLTree(eml(x0, 1.0), input_dim=1, depth=1)"


# --- structure and identity


@given(trees(), trees())
def test_equality_is_that_of_the_bytes(one: EMLTree, other: EMLTree) -> None:
    assert (one == other) == (one.to_bytes() == other.to_bytes())
    if one != other:
        assert one.hash() != other.hash()
    same = EMLTree(EMLNode.from_dict(one.root.to_canonical_dict()), one.input_dim)
    assert same == one and hash(same) == hash(one) and same.hash() == one.hash()
    assert copy.deepcopy(one) == one and pickle.loads(pickle.dumps(one)) == one
    assert one != one.to_bytes()


@given(trees(), st.integers(0, 2**32 - 1))
def test_other_constants_make_another_tree(tree: EMLTree, seed: int) -> None:
    params = np.random.default_rng(seed).normal(size=len(tree.leaf_params))
    before = tree.leaf_params.copy()
    other = tree.with_params(params)
    assert np.array_equal(other.leaf_params, params) and other.root.constants() == params.tolist()
    assert np.array_equal(tree.leaf_params, before) and other.tape == tree.tape
    assert (other == tree) == (not len(params))
    assert not tree.leaf_params.flags.writeable


def test_a_tree_is_refused_for_what_is_wrong_with_it() -> None:
    one, x = EMLNode(EMLOp.CONST, const=1.0), EMLNode(EMLOp.VAR_X, var_idx=1)
    deep: Any = 1.0
    for _ in range(MAX_DEPTH):
        deep = node(deep, 1.0) if not isinstance(deep, EMLNode) else EMLNode(EMLOp.EML, left=deep, right=one)
    nested: Any = []
    for _ in range(5000):
        nested = [nested]
    cases: list[tuple[Any, str, str]] = [
        (lambda: EMLNode(EMLOp.EML, left=deep, right=one), "eml.depth_exceeded", "depth 5"),
        (lambda: EMLNode(EMLOp.CONST), "eml.domain_error", "needs const"),
        (lambda: EMLNode(EMLOp.CONST, const=1.0, var_idx=0), "eml.domain_error", "does not take var_idx"),
        (lambda: EMLNode(EMLOp.CONST, const=math.nan), "eml.domain_error", "nan"),
        (lambda: EMLNode(EMLOp.CONST, const=math.inf), "eml.domain_error", "infinite"),
        (lambda: EMLNode(EMLOp.CONST, const=nested), "eml.domain_error", "a list"),
        (lambda: EMLNode(EMLOp.VAR_X, var_idx=-1), "eml.domain_error", "-1"),
        (lambda: EMLNode(EMLOp.VAR_X, var_idx=65535), "eml.domain_error", "65535"),
        (lambda: EMLNode(EMLOp.VAR_X, var_idx=True), "eml.domain_error", "True"),
        (lambda: EMLNode(EMLOp.EML, left=one), "eml.domain_error", "needs right"),
        (lambda: EMLNode(EMLOp.EML, left=one, right=1.0), "eml.domain_error", "give nodes"),  # type: ignore[arg-type]
        (lambda: EMLNode(7), "eml.domain_error", "7"),  # type: ignore[arg-type]
        (lambda: EMLTree(x, 1), "eml.domain_error", "read 2 inputs"),
        (lambda: EMLTree(x, 65536), "eml.domain_error", "65536"),
        (lambda: EMLTree("x", 1), "eml.domain_error", "EMLNode"),  # type: ignore[arg-type]
        (lambda: EMLTree(one, 1, [1.0, 2.0]), "eml.domain_error", "give 1 finite"),  # type: ignore[arg-type]
        (lambda: EMLTree(one, 1, [None]), "eml.domain_error", "give 1 finite"),  # type: ignore[arg-type]
        (lambda: EMLTree.identity(0), "eml.domain_error", "read 1 inputs"),
        (lambda: EMLTree.exp_single().forward([1.0, 2.0]), "eml.domain_error", r"\(2,\)"),
        (lambda: EMLTree.exp_single().forward_batch([1.0, 2.0]), "eml.domain_error", r"give \(B, 1\)"),
        (lambda: EMLTree.exp_single().forward_batch([["1.0"]]), "eml.domain_error", "not made of real"),
        (lambda: EMLTree.exp_single().grad_wrt_params([1.0], math.nan), "eml.domain_error", "target"),
    ]
    for make, code, text in cases:
        with pytest.raises(EmlError, match=text) as caught:
            make()
        assert caught.value.code == code


def test_dicts_that_are_no_tree_are_refused() -> None:
    leaf = {"op": 0, "const": 1.0}
    deep: Any = leaf
    for _ in range(100_000):
        deep = {"op": 2, "left": deep, "right": leaf}
    nested: Any = []
    for _ in range(5000):
        nested = [nested]
    hostile: list[Any] = [None, 3, [], "x", {}, {"op": 5}, {"op": True, "var_idx": 0}, {"op": nested}, nested, {"op": 0, "const": nested}]
    hostile += [leaf | {"left": leaf}, {"op": 0, "const": math.nan}, {"op": 0, "const": "1"}, {"op": 1, "var_idx": 1.5}, {"op": 1, "var_idx": 10**50}]
    hostile += [{"op": 2, "left": leaf}, {"op": 2, "left": leaf, "right": None}, {"op": 0, "const": 10**400}]
    for told in hostile:
        with pytest.raises(EmlError) as caught:
            EMLNode.from_dict(told)
        assert caught.value.code == "eml.decode_error"
    with pytest.raises(EmlError) as caught:
        EMLNode.from_dict(deep)
    assert caught.value.code == "eml.depth_exceeded"
    while isinstance(deep, dict) and "left" in deep:  # freed from the outside, as freeing it at once would nest as deep
        deep = deep.pop("left")


# --- carl-core


@pytest.mark.parametrize(("data", "value", "digest"), PEERS)
def test_trees_of_carl_core_have_the_same_value_and_hash(data: str, value: float, digest: str) -> None:
    tree = EMLTree.from_bytes(bytes.fromhex(data))
    assert math.isclose(tree.forward([0.25, 0.75, 1.5][: tree.input_dim]), value, rel_tol=1e-9, abs_tol=1e-12)
    assert tree.hash() == digest and tree.to_bytes().hex() == data


@settings(max_examples=50)
@given(tree=trees(leaves=st.floats(-3, 3)), seed=st.integers(0, 2**32 - 1))
def test_carl_core_reads_our_trees_and_we_read_its(tree: EMLTree, seed: int) -> None:
    peer = pytest.importorskip("carl_core.eml")
    theirs = peer.EMLTree.from_bytes(tree.to_bytes())
    x = np.random.default_rng(seed).normal(0.5, 1, (4, tree.input_dim))
    assert np.allclose(theirs.forward_batch(x), tree.forward_batch(x), rtol=1e-9, atol=1e-9)
    assert theirs.hash() == tree.hash()
    assert EMLTree.from_bytes(theirs.to_bytes()) == tree
    assert theirs.root.to_canonical_dict() == tree.root.to_canonical_dict()
