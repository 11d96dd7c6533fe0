"""What every backend with a phi unit must do: subclass `PhiConformance`, give it a backend, and its tests are those of the contract.

Every record is judged by the golden model; the golden model itself, and some rows of every backend, by `phi_reference`.
"""

from __future__ import annotations

import functools
import json
import os
from abc import ABC, abstractmethod
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import phi_reference as reference
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phi_cases import FAMILIES, FORMS, PhiCase, as_form, phi_cases, random_rows, words_of

from ebmhw.backends import SamplerBackend, get_backend
from ebmhw.phi import FLAG, PhiPartials, PhiRecords

EXAMPLES = int(os.environ.get("EBMHW_TEST_EXAMPLES", "0"))
"""Random calls of each test; 0 takes the default of the suite."""

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "contract_vectors.json").read_text())["phi"]


@functools.cache
def judge() -> SamplerBackend:
    """The golden model."""
    return get_backend("golden")


def cut(case: PhiCase) -> np.ndarray:
    """The entries that count, contiguous: (..., entries)."""
    entries = case.options.get("vocab_size", case.logits.shape[-1])
    x = np.ascontiguousarray(case.logits[..., :entries])
    return x.astype(x.dtype.newbyteorder("=")) if case.form != "bfloat16" else x


def reference_rows(case: PhiCase, partial: bool = False, first_entry: int = 0) -> list[dict[str, Any]]:
    """Every row of a case by the reference; one that the mask leaves out is a row without entries."""
    x = cut(case)
    words = words_of(x).reshape(-1, x.shape[-1])
    chosen = np.asarray(case.options.get("chosen", np.full(x.shape[:-1], -100))).reshape(-1).tolist()
    mask = np.asarray(case.options.get("mask", np.ones(x.shape[:-1], bool))).reshape(-1).tolist()
    found = []
    for i, (row, choice, there) in enumerate(zip(words.tolist(), chosen, mask, strict=True)):
        values = [reference.float_of(word, case.form) for word in row] if there else []
        fields = reference.row(values, reference.NONE if choice == -100 else choice, first_entry, i)
        found.append(fields if partial else reference.finished(fields, reference.inverse(x.shape[-1])))
    return found


def assert_as_reference(records: PhiRecords, case: PhiCase) -> int:
    """Compare every field of every row; return the entries compared."""
    rows = reference_rows(case)
    flat = records.array.reshape(-1)
    assert flat.size == len(rows), case.label
    for got, want in zip(flat, rows, strict=True):
        assert {name: int(got[name]) for name in got.dtype.names} == want, case.label
    return flat.size * cut(case).shape[-1]


def assert_partials_as_reference(partials: PhiPartials, rows: list[dict[str, Any]], label: str) -> None:
    """Compare every field and every bin."""
    for got, want in zip(partials.array.reshape(-1), rows, strict=True):
        fields = {name: int(got[name]) for name in got.dtype.names if name not in ("sums", "zero")}
        assert fields | {"s": got["sums"][:, 0].tolist(), "t": got["sums"][:, 1].tolist()} == want, label
        assert got["zero"] == 0


def assert_same_records(got: PhiRecords | PhiPartials, wanted: PhiRecords | PhiPartials, label: str) -> None:
    """Every field of two results, shapes included."""
    assert got.shape == wanted.shape, label
    for name in wanted.array.dtype.names or ():
        a, b = got.array[name], wanted.array[name]
        assert np.array_equal(a, b), f"{label}: {name} is {a[a != b][:4]}, not {b[a != b][:4]}"
    assert got == wanted, label


def random_cuts(rng: np.random.Generator, entries: int) -> list[tuple[int, int]]:
    """Consecutive shards of 0..entries."""
    inner = np.sort(rng.choice(np.arange(1, entries), size=int(rng.integers(0, min(entries, 6))), replace=False)).tolist()
    bounds = [0, *inner, entries]
    return list(pairwise(bounds))


def merged_in_a_tree(rng: np.random.Generator, shards: list[PhiPartials]) -> PhiPartials:
    """Merge in a random order, two at a time, whichever two."""
    parts = list(shards)
    while len(parts) > 1:
        i, j = rng.choice(len(parts), size=2, replace=False).tolist()
        a, b = parts[i], parts[j]
        parts = [part for k, part in enumerate(parts) if k not in (i, j)] + [a + b]
    return parts[0]


class PhiConformance(ABC):
    """The tests.

    Attributes
    ----------
    examples : random calls of each test
    most_entries, most_rows : of a random call
    reference_entries : entries of a call up to which the reference judges it too
    forms : formats of random calls
    unaligned : False to leave out arrays that do not lie at multiples of their entries' size
    short_rows : rows of the test for the last bits
    """

    examples = 30
    most_entries = 400
    most_rows = 12
    reference_entries = 600
    forms: tuple[str, ...] = FORMS
    unaligned = True
    short_rows = 500

    @abstractmethod
    def make(self) -> SamplerBackend:
        """Return the backend under test."""

    @functools.cached_property
    def backend(self) -> SamplerBackend:
        return self.make()

    def _settings(self, examples: int) -> settings:
        return settings(
            max_examples=EXAMPLES or max(1, examples), deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=not EXAMPLES
        )

    # --- the contract

    def test_contract_vectors(self) -> None:
        assert "phi" in self.backend.capabilities.units
        for number, vector in enumerate(VECTORS):
            if vector["V"] > max(self.most_entries, 257):
                continue
            x = np.array([int(word, 16) for word in vector["x"]], dtype=np.uint32).view(np.float32)
            record = self.backend.phi(x)
            got = {"valid": record.valid, "masked": record.masked, "excluded": record.excluded, "log2Z": record.log_z_q20}
            got |= {"H": record.entropy_q20, "phi": record.phi_q20}
            assert {name: int(value) for name, value in got.items()} == {name: vector[name] for name in got}, number

    def test_random_calls(self) -> None:
        compared = [0, 0]

        @self._settings(self.examples)
        @given(case=phi_cases(self.most_rows, self.most_entries, self.forms, self.unaligned))
        def check(case: PhiCase) -> None:
            before = words_of(np.ascontiguousarray(case.logits)).tobytes()
            records = self.backend.phi(case.logits, **case.options)
            assert words_of(np.ascontiguousarray(case.logits)).tobytes() == before
            x, options = cut(case), {name: value for name, value in case.options.items() if name != "vocab_size"}
            if self.backend.name != "golden":
                assert_same_records(records, judge().phi(x, **options), case.label)
                compared[0] += x.size
            if self.backend.name == "golden" or x.size <= self.reference_entries:
                compared[1] += assert_as_reference(records, case)

        check()
        print(f"{self.backend!r}: {compared[0]:,} entries compared with the golden model, {compared[1]:,} with the reference")

    def test_random_shards_merge_to_the_whole(self) -> None:
        @self._settings(max(1, self.examples // 2))
        @given(case=phi_cases(self.most_rows, self.most_entries, self.forms, self.unaligned), seed=st.integers(0, 2**32 - 1))
        def check(case: PhiCase, seed: int) -> None:
            rng = np.random.default_rng(seed)
            entries = case.options.get("vocab_size", case.logits.shape[-1])
            options = {name: value for name, value in case.options.items() if name != "vocab_size"}
            shards = []
            for start, stop in random_cuts(rng, entries):
                shard = self.backend.phi_partial(case.logits[..., start:stop], first_entry=start, **options)
                if self.backend.name != "golden":
                    judged = judge().phi_partial(np.ascontiguousarray(case.logits[..., start:stop]), first_entry=start, **options)
                    assert_same_records(shard, judged, case.label)
                elif case.logits[..., start:stop].size <= self.reference_entries:
                    part = PhiCase(case.logits[..., start:stop], case.form, options, case.label)
                    assert_partials_as_reference(shard, reference_rows(part, True, start), case.label)
                shards.append(PhiPartials.from_bytes(shard.to_bytes(), shard.shape))
            merged = merged_in_a_tree(rng, shards).records(entries)
            whole = judge().phi(case.logits, **case.options)
            # Between shards a tie is one of z; the position then is the lowest of the shards' own.
            tops = [np.where(shard.array["valid"] > 0, shard.array["z1"].astype(np.int64), -(2**40)) for shard in shards]
            same = np.sum([top == whole.z1 for top in tops], axis=0) < 2
            array, wanted = merged.array.copy(), whole.array
            array["argmax"] = np.where(same, array["argmax"], wanted["argmax"])
            assert_same_records(PhiRecords(array), whole, case.label)

        check()

    @pytest.mark.parametrize("form", FORMS)
    def test_every_family_in_every_format(self, form: str) -> None:
        if form not in self.forms:
            pytest.skip(f"this suite leaves {form} out")
        rng = np.random.default_rng(FORMS.index(form))
        for family in FAMILIES:
            x = as_form(random_rows(rng, family, 2, min(self.most_entries, 130)), form)
            case = PhiCase(x, form, {"chosen": rng.integers(0, x.shape[-1], 2)}, f"{form} {family}")
            assert_as_reference(self.backend.phi(x, **case.options), case)

    @pytest.mark.parametrize("form", ["float16", "bfloat16"])
    def test_every_word_of_16_bits(self, form: str) -> None:
        """Rows that between them hold every word, each with its own z2, argmax and counts."""
        if form not in self.forms or self.most_entries < 100:
            pytest.skip("this suite is for shorter rows")
        words = np.arange(2**16, dtype=np.uint16).reshape(-1, 256)
        x = words.view(as_form(np.zeros(1), form).dtype)
        chosen = np.arange(256) * 37 % 256
        got = self.backend.phi(x, chosen=chosen)
        if self.backend.name == "golden":
            case = PhiCase(x, form, {"chosen": chosen}, form)
            assert_as_reference(got, case)
        else:
            assert_same_records(got, judge().phi(x, chosen=chosen), form)

    def test_many_short_rows(self) -> None:
        """The last bits of log2, of the quotient and of the products: a bit less of m shows in one row of 700."""
        rng = np.random.default_rng(8)
        x = rng.normal(0, rng.choice([0.1, 1, 4], (self.short_rows, 1)), (self.short_rows, 5)).astype(np.float32)
        chosen = rng.integers(0, 5, self.short_rows)
        got = self.backend.phi(x, chosen=chosen)
        if self.backend.name == "golden":
            assert_as_reference(got, PhiCase(x, "float32", {"chosen": chosen}, "short"))
        else:
            assert_same_records(got, judge().phi(x, chosen=chosen), "short")

    # --- rows that hold little or nothing

    def test_rows_without_entries_that_count(self) -> None:
        x = np.full((4, 5), -np.inf, dtype=np.float32)
        x[1] = np.nan
        x[2, 3] = 7.0
        x[3, :2] = np.inf, np.nan
        r = self.backend.phi(x, chosen=[0, 0, 3, 1])
        assert_as_reference(r, PhiCase(x, "float32", {"chosen": np.array([0, 0, 3, 1])}, "little"))
        assert r.flagged("empty").tolist() == [True, True, False, True]
        assert r.excluded.tolist() == [0, 5, 0, 2] and r.masked.tolist() == [5, 0, 4, 3]
        assert np.isnan(r.phi).tolist() == [True, True, False, True] and r.phi_mean == r.phi[2] > 0.99
        assert np.isnan(r.margin).all() and r.chosen_logprob[2] == r.chosen_logprob_mean > -1e-5
        assert r.mask.all()

    def test_finite_mask_values_are_entries(self) -> None:
        x = np.array([[1.0, -1e30, np.finfo(np.float32).min, 2.0]], dtype=np.float32)
        r = self.backend.phi(x)
        assert r.valid.tolist() == [4] and r.masked.tolist() == [0] and r.flags.tolist() == [FLAG["clip_lo"] | FLAG["no_choice"]]
        assert_as_reference(r, PhiCase(x, "float32", {}, "finite"))

    def test_masked_rows_are_left_out(self) -> None:
        rng = np.random.default_rng(1)
        x = rng.normal(0, 3, (2, 3, 17)).astype(np.float32)
        mask = np.array([[True, False, True], [False, False, True]])
        chosen = np.array([[1, 10**6, 2], [-5, 17, 16]])  # what is chosen in a row that is left out is not looked at
        r = self.backend.phi(x, chosen=chosen, mask=mask)
        assert r.shape == (2, 3) and np.array_equal(r.mask, mask)
        assert_same_records(r[mask], self.backend.phi(x, chosen=np.where(mask, chosen, -100))[mask], "kept")
        assert np.isnan(r.phi[~mask]).all() and np.isnan(r.chosen_logprob[~mask]).all()
        assert r.phi_mean == pytest.approx(r.phi[mask].mean(), rel=1e-15)
        nothing = self.backend.phi(x, mask=np.zeros((2, 3), int))
        assert not nothing.mask.any() and np.isnan(nothing.phi_mean)

    def test_no_rows(self) -> None:
        for shape in ((0, 5), (2, 0, 5), (0, 3, 5)):
            r = self.backend.phi(np.zeros(shape, np.float16), chosen=np.zeros(shape[:-1], int), mask=np.ones(shape[:-1], bool))
            assert r.shape == shape[:-1] and r.phi.shape == shape[:-1] and np.isnan(r.phi_mean) and r.to_bytes() == b""

    def test_one_row_has_scalars(self) -> None:
        r = self.backend.phi([0.0, 1.0, 2.0], chosen=2)
        assert r.shape == () and isinstance(float(r.phi), float) and int(r.argmax) == 2 and int(r.chosen) == 2
        assert r.to_bytes() == self.backend.phi([[0.0, 1.0, 2.0]], chosen=[2]).to_bytes()

    def test_float64_is_rounded_to_float32(self) -> None:
        x = np.array([[0.1, 0.1 + 1e-9, -0.3, 1e300, -1e300, 3.4028235677973366e38, 3.40282356e38, 1 + 2**-24, 1 + 3 * 2**-24]])
        assert_as_reference(self.backend.phi(x), PhiCase(x, "float64", {}, "float64"))
        with np.errstate(over="ignore"):
            assert self.backend.phi(x) == self.backend.phi(x.astype(np.float32))

    def test_it_says_how_it_measured(self) -> None:
        info = self.backend.phi(np.zeros((3, 4), np.float16)).info
        assert info["backend"] == self.backend.name and info["rows"] == 3 and info["entries"] == 4
        assert info["source"] == "float16" and info["timing"]["run_s"] >= 0
