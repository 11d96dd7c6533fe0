"""Records and partials as objects: fields, floats, means, bytes, equality, and merges that cannot be."""

from __future__ import annotations

import pickle
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from phi_conformance import judge

from ebmhw.backends import get_backend
from ebmhw.contract.phi_unit import RESULTS
from ebmhw.errors import InvalidLogits
from ebmhw.phi import FLAG, PARTIAL, RECORD, PhiPartials, PhiRecords

RNG = np.random.default_rng(11)
X = RNG.normal(0, 3, (2, 3, 40)).astype(np.float32)
CHOSEN = RNG.integers(0, 40, (2, 3))
R = judge().phi(X, chosen=CHOSEN)
P = judge().phi_partial(X, 0, chosen=CHOSEN)


def test_types_are_the_packets_of_the_contract() -> None:
    assert RECORD.itemsize == 64 and PARTIAL.itemsize == 64 + 8 + 64 * 16
    head = RESULTS.layout("record").bit_offset("job_id")
    for dtype, name in ((RECORD, "record"), (PARTIAL, "partial")):
        layout = RESULTS.layout(name)
        assert dtype.names == tuple(field.name for field in layout.fields)
        assert all(dtype.fields[field.name][1] * 8 == layout.bit_offset(field.name) - head for field in layout.fields)


def test_bytes_are_those_of_the_packets() -> None:
    row, part = R.array[1, 2], P.array[1, 2]
    packet = RESULTS.layout("record").encode({name: int(row[name]) for name in RECORD.names})
    assert packet[8 : 8 + 64] == R[1, 2].to_bytes()
    sums = int.from_bytes(part["sums"].tobytes(), "little")
    packet = RESULTS.layout("partial").encode({name: int(part[name]) for name in PARTIAL.names if name != "sums"} | {"sums": sums})
    assert packet[8 : 8 + PARTIAL.itemsize] == P[1, 2].to_bytes()


def test_integers_are_wide_enough_for_differences() -> None:
    for name in ("phi_q20", "entropy_q20", "flags", "valid", "argmax", "z1", "log_z_q20", "chosen"):
        values = getattr(R, name)
        assert values.dtype == np.int64 and values.shape == (2, 3)
    assert np.array_equal(R.chosen, CHOSEN) and (np.diff(R.phi_q20) < 0).any()


def test_floats_are_the_integers_in_their_units() -> None:
    assert np.array_equal(R.phi, R.phi_q20 / 2**20)
    assert np.array_equal(R.entropy_bits, R.entropy_q20 / 2**20)
    assert np.allclose(R.chosen_logprob, R.chosen_log2p_q20 / 2**20 * np.log(2), rtol=1e-15)
    assert np.allclose(R.margin, (R.z1 - R.z2) / 1024 * np.log(2), rtol=1e-15)
    assert np.allclose(R.log_z, R.log_z_q20 / 2**20 * np.log(2), rtol=1e-15)
    assert R.phi_mean == R.phi.mean() and R.margin_mean == R.margin.mean()


def test_means_leave_out_what_is_not_there() -> None:
    x = X[0].copy()
    x[1] = -np.inf
    r = judge().phi(x, chosen=[-100, 3, 4])
    assert r.entropy_bits_mean == r.entropy_bits[[0, 2]].mean() and r.chosen_logprob_mean == r.chosen_logprob[2]
    assert np.isnan(r.chosen_logprob[:2]).all() and np.isnan(r[1:2].phi_mean) and r.phi_q20[1] == 0


def test_records_are_a_collection() -> None:
    assert len(R) == 2 and R[0].shape == (3,) and R[0, 1].shape == () and R[:, 1:].shape == (2, 2)
    assert [row.shape for row in R] == [(3,), (3,)]
    assert R[R.phi > 0].shape == (6,) and R.reshape(3, 2)[0, 1] == R[0, 1] and R[0, 1].info is R.info
    assert PhiRecords(R.array) == R
    assert all(other != R for other in (R.reshape(6), R[::-1], 5))
    assert R[0] != judge().phi(X[0])
    with pytest.raises(TypeError):
        hash(R)
    with pytest.raises(ValueError, match="read-only"):
        R.array["phi"] = 0
    mine = R.array.copy()
    copied = PhiRecords(mine)
    mine["phi"] = 0
    assert copied == R and np.shares_memory(R[0].array, R.array)


def test_records_and_partials_survive_bytes_and_pickle() -> None:
    assert PhiRecords.from_bytes(R.to_bytes(), (2, 3)) == R and PhiRecords.from_bytes(R.to_bytes()) == R.reshape(6)
    assert PhiPartials.from_bytes(P.to_bytes(), (2, 3)) == P and PhiPartials.from_bytes(memoryview(P.to_bytes())).shape == (6,)
    assert pickle.loads(pickle.dumps(R)) == R and pickle.loads(pickle.dumps(P)) == P
    for kind, made, size in ((PhiRecords, R, 64), (PhiPartials, P, 1096)):
        with pytest.raises(InvalidLogits, match=f"{size * 6 - 1} bytes; give a multiple of {size}"):
            kind.from_bytes(made.to_bytes()[:-1])
        with pytest.raises(InvalidLogits, match=re.escape(f"give {size * 5} for shape (5,)")):
            kind.from_bytes(made.to_bytes(), (5,))
        with pytest.raises(InvalidLogits, match="give dtype"):
            kind(np.zeros(3))
    with pytest.raises(InvalidLogits, match="without the flag PARTIAL"):
        PhiPartials(np.zeros(2, PARTIAL))


def test_what_is_printed() -> None:
    assert re.fullmatch(r"PhiRecords\(shape \(2, 3\), phi 0\.\d{6} to 0\.\d{6}, mean 0\.\d{6}, entropy mean \d\.\d{4} bits, golden\)", repr(R))
    assert re.fullmatch(r"PhiRecords\(phi 0\.\d{6}, entropy \d\.\d{4} bits, argmax \d+, chosen \d+ at -\d+\.\d{4} nats\)", repr(R[0, 0]))
    empty = judge().phi([[-np.inf, np.nan], [0.0, 1.0]], mask=[True, False])
    assert repr(empty) == "PhiRecords(shape (2,), 1 left out, 1 empty, 1 with excluded entries, golden)"
    assert repr(empty[0]) == "PhiRecords(phi nan, entropy nan bits, flags excluded empty no_choice)"
    clipped = judge().phi([[3000.0, 2.0], [5.0, -1e9], [4000.0, -1e9]])
    assert re.search(r" bits, 2 clip_hi, 2 clip_lo, golden\)$", repr(clipped)) and "clip" not in repr(clipped[:0])
    assert repr(P) == "PhiPartials(shape (2, 3), 40 entries)"


def test_flags_have_names() -> None:
    assert FLAG == {"excluded": 1, "clip_hi": 2, "clip_lo": 4, "empty": 8, "no_choice": 16, "partial": 32}
    assert judge().phi([[3000.0, -3000.0]]).flagged("clip_hi").tolist() == [True]
    with pytest.raises(InvalidLogits, match="there is no flag 'full'; give one of excluded, clip_hi"):
        R.flagged("full")


def shards(*bounds: int) -> list[PhiPartials]:
    return [judge().phi_partial(X[..., a:b], a, chosen=CHOSEN) for a, b in pairwise(bounds)]


def test_merges_of_shards() -> None:
    parts = shards(0, 1, 13, 40)
    assert PhiPartials.merge(parts) == P == parts[2] + (parts[0] + parts[1]) and PhiPartials.merge([P]) == P
    assert PhiPartials.merge(iter(parts)).records() == P.records(40) == R
    assert (parts[0] + parts[1]).entries.tolist() == [[13] * 3] * 2
    assert PhiPartials.merge(part[1] for part in parts).records() == R[1]


def test_a_merge_keeps_what_its_shards_agree_on() -> None:
    parts = shards(0, 20, 40)
    merged = PhiPartials.merge(parts)
    assert {"backend", "source", "rows"} <= set(merged.info) and not {"entries", "timing"} & set(merged.info)
    assert merged.info["backend"] == "golden" and repr(merged.records()).endswith(", golden)")
    elsewhere = get_backend("cpu").phi_partial(X[..., 20:], 20, chosen=CHOSEN)
    mixed = parts[0] + elsewhere
    assert mixed == merged and "backend" not in mixed.info and mixed.info["source"] == "float32"
    assert (parts[0] + PhiPartials.from_bytes(elsewhere.to_bytes(), (2, 3))).info == {}


def test_merges_that_cannot_be() -> None:
    parts = shards(0, 13, 40)
    with pytest.raises(InvalidLogits, match="no shards to merge"):
        PhiPartials.merge([])
    with pytest.raises(InvalidLogits, match="a shard is a PhiRecords; give PhiPartials"):
        PhiPartials.merge([P, R])  # type: ignore[list-item]
    with pytest.raises(InvalidLogits, match=r"shards have shapes \(3,\) and \(2, 3\)"):
        _ = P[0] + P
    with pytest.raises(InvalidLogits, match=r"of row 0 do not fit together: token ids are 0 and 3; merge shards of the same rows"):
        _ = parts[0][0] + parts[1][1]
    with pytest.raises(
        InvalidLogits,
        match=r"of row \(0, 0\) do not fit together: both have a chosen entry, \d+ and \d+; merge each shard once, with its own first_entry",
    ):
        _ = P + P
    wide = judge().phi_partial(np.zeros((1, 2**19), np.float16), 0)
    with pytest.raises(InvalidLogits, match="they make 524289 entries, more than 524288; merge each shard once, with its own first_entry"):
        _ = wide + judge().phi_partial(np.full((1, 1), -np.inf, np.float16), 0)
    with pytest.raises(InvalidLogits, match="row 0 do not fit together: the largest entry of both is at 0; merge each shard once, with its own"):
        _ = wide + wide
    apart = judge().phi_partial(np.arange(5.0), 0) + judge().phi_partial(np.arange(5.0) + 9, 400)
    with pytest.raises(
        InvalidLogits, match="argmax of row 0 is at 404, beyond the 10 entries of the vocabulary; give each shard its own first_entry"
    ):
        apart.records(10)
    with pytest.raises(InvalidLogits, match="row 0 has seen 13 of 40 entries; merge all shards, each once, with its own first_entry"):
        parts[0].records(40)
    with pytest.raises(InvalidLogits, match="vocab_size is 1; give a whole number from 2"):
        P.records(1)
    with pytest.raises(InvalidLogits, match="the shards have 1 entries; a vocabulary has 2"):
        judge().phi_partial(X[..., :1], 0).records()
    masked = [judge().phi_partial(X[0][..., a:b], first_entry=a, mask=[True, i == 0, True]) for i, (a, b) in enumerate(((0, 20), (20, 40)))]
    with pytest.raises(
        InvalidLogits, match="row 1 has seen 20 of 40 entries; rows have seen 20 to 40 entries: give the same mask for all shards, and merge all"
    ):
        PhiPartials.merge(masked).records(40)
    with pytest.raises(TypeError):
        _ = P + 1  # type: ignore[operator]


@pytest.mark.parametrize(("field", "value"), [("sums", 0), ("sums", -1), ("valid", 0), ("flags", 32 | 8)])
def test_bytes_that_are_no_partials(field: str, value: int) -> None:
    array = P.array.copy()
    array[field] = value
    with pytest.raises(InvalidLogits, match="these are no partials: their sums are not those of as many entries"):
        PhiPartials.from_bytes(array.tobytes())


@pytest.mark.parametrize("shape", [(2**33, 2**33), (0, -5), (-1, -4), (4.0,)])
def test_shapes_that_bytes_do_not_have(shape: tuple[Any, ...]) -> None:
    for kind in (PhiRecords, PhiPartials):
        with pytest.raises(InvalidLogits, match=r"(partials|records) (have|is)"):
            kind.from_bytes(b"", shape)


def test_records_do_not_change_with_what_they_were_made_of() -> None:
    array = R.array.copy()
    view = array[:]
    view.flags.writeable = False
    records = PhiRecords(view)
    array["phi"] += 1
    assert records == R
    assert np.shares_memory(PhiRecords(R.array).array, R.array) and np.shares_memory(R[0].array, R.array)


def test_a_tie_of_z_between_shards_goes_to_the_lower_position() -> None:
    x = np.full((1, 8), -5.0, np.float32)
    x[0, 2], x[0, 6] = 1.0, 1.0 + 2**-20  # the larger, in the second shard, by less than z shows
    assert judge().phi(x).argmax.tolist() == [6]
    parts = [judge().phi_partial(x[:, a : a + 4], first_entry=a) for a in (4, 0)]
    r = PhiPartials.merge(parts).records()
    assert r.argmax.tolist() == [2] and r.margin.tolist() == [0.0]


def test_masks_of_shards() -> None:
    mask = np.array([[True, False, True], [False, True, True]])
    parts = [judge().phi_partial(X[..., a:b], a, chosen=CHOSEN, mask=mask) for a, b in ((0, 7), (7, 40))]
    r = PhiPartials.merge(parts).records(40)
    assert r == judge().phi(X, chosen=CHOSEN, mask=mask) and np.array_equal(r.mask, mask)
