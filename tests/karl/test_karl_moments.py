"""Times as Unix seconds: against datetime, and whatever else stands where a time should."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.karl.moments import iso, moment

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))


@given(_TIMES, st.integers(-12 * 60, 14 * 60), st.sampled_from(("T", " ")))
def test_iso_text_with_a_zone(time: datetime, minutes: int, between: str) -> None:
    zoned = time.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (zoned - _EPOCH) / timedelta(seconds=1)
    assert moment(zoned.isoformat(between)) == pytest.approx(expected, abs=2e-6)


@given(_TIMES)
def test_iso_and_back(time: datetime) -> None:
    seconds = (time.replace(tzinfo=timezone.utc) - _EPOCH) / timedelta(seconds=1)
    text = iso(seconds)
    assert text is not None and text.endswith("Z")
    assert moment(text) == pytest.approx(seconds, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01", 0.0),
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01T00:00", 0.0),
        ("1970-01-01T00:00:00.5Z", 0.5),
        ("1970-01-01T00:00:00,123456789Z", 0.123456789),
        ("1970-01-01T01:00:00+01", 0.0),
        ("1970-01-01T01:30:00+0130", 0.0),
        ("1969-12-31T23:00:00-01:00", 0.0),
        ("2016-12-31T23:59:60Z", 1483228800.0),
    ],
)
def test_other_forms(text: str, expected: float) -> None:
    assert moment(text) == pytest.approx(expected, abs=1e-9)


@given(st.floats(1.0e9, 4.0e9))
def test_units_of_numbers_by_their_size(seconds: float) -> None:
    for unit in (1.0, 1e3, 1e6, 1e9):
        assert moment(seconds * unit) == pytest.approx(seconds, rel=1e-12)


@given(
    st.one_of(st.none(), st.booleans(), st.text(max_size=80), st.binary(max_size=5), st.lists(st.integers(), max_size=2), st.floats(), st.integers())
)
def test_whatever_else_is_none_or_a_number(value: Any) -> None:
    found = moment(value)
    assert found is None or (isinstance(found, float) and found == found)


@pytest.mark.parametrize(
    "value", ["", "yesterday", "2024-02-30", "2024-13-01", "25:00", "2024-01-01T24:61:00", True, None, float("nan"), float("inf"), 1e30, 10**40]
)
def test_what_is_no_time(value: Any) -> None:
    assert moment(value) is None
