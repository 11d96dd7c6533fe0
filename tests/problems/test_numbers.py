"""Numbers: what NumPy would take in silence or refuse in its own words is refused as InvalidModel; real numbers of any type pass."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from ebmhw.errors import InvalidModel
from ebmhw.numbers import index_pairs, real_number, real_numbers

NO_NUMBERS = {
    "text": "1",
    "texts": ["1", "2"],
    "text_among_numbers": np.array([1, "2"], dtype=object),
    "bytes": [b"1"],
    "bytes_among_objects": [None, b"1"],
    "none": None,
    "none_among_numbers": [1.0, None],
    "complex": [1 + 0j],
    "complex_among_objects": [Fraction(1), np.complex128(1j)],
    "ragged": [[1, 2], [3]],
    "too_large": [10**400],
    "times": np.array(["2024-01-01"], dtype="datetime64[D]"),
    "set": {1},
    "mapping": {0: 1},
}


@pytest.mark.parametrize("values", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_what_is_no_number_is_refused(values: object) -> None:
    with pytest.raises(InvalidModel, match=r"^weights are not all real numbers; give integers or floats$"):
        real_numbers(values, "weights")  # type: ignore[arg-type]
    with pytest.raises(InvalidModel, match=r"^offset is .*; it must be one finite number$"):
        real_number(values, "offset")


def test_real_numbers_of_any_type_pass() -> None:
    for values in ([1, 0.5], (np.int8(1), np.float32(0.5)), [Fraction(1), Decimal("0.5")], np.array([2, 1], dtype=np.float16) / 2):
        found = real_numbers(values, "weights")  # type: ignore[arg-type]
        assert found.dtype == np.float64 and found.tolist() == [1.0, 0.5]
    assert real_numbers([2**70, True], "weights").tolist() == [2.0**70, 1.0]
    assert np.isinf(real_numbers([float("inf"), np.longdouble("1e4000")], "weights")).all()
    assert real_numbers([[1], [2]], "weights").shape == (2, 1)
    assert real_numbers([], "weights").shape == (0,)


def test_the_array_is_new() -> None:
    given = np.ones(2)
    assert not np.shares_memory(real_numbers(given, "weights"), given)


def test_one_number() -> None:
    assert real_number(np.array(3), "offset") == 3.0 and type(real_number(np.float32(3), "offset")) is float
    for value, shown in ((float("nan"), "nan"), ([1.0], r"\[1.0\]"), (10**5000, "an integer beyond 1.8e308")):
        with pytest.raises(InvalidModel, match=f"offset is {shown}; it must be one finite number"):
            real_number(value, "offset")


def test_pairs() -> None:
    given = np.array([[0, 1], [1, 2]])
    assert index_pairs(given, "edges") is given
    assert index_pairs([], "edges").shape == index_pairs(np.zeros((0, 2)), "edges").shape == (0, 2)
    for wrong in ([0, 1], [(0, 1, 2)], [(0.0, 1.0)], [(0, 1), (2,)], [("a", "b")], [(0, None)], 3, [(True, False)]):
        with pytest.raises(InvalidModel, match=r"^edges are .*; give integers \(edges, 2\)$"):
            index_pairs(wrong, "edges")  # type: ignore[arg-type]
