"""The model of the phi unit, against what generators of packets say of them, and its answers against the contract's own decoder."""

from __future__ import annotations

from random import Random

import pytest

from ebmhw.contract.phi_formats import ENTRIES_LIMIT, FLAGS, FORMATS
from ebmhw.contract.phi_unit import ERRORS, RESULTS
from sim.bad_tokens import bad_tokens, token_to_spoil
from sim.phi_jobs import LONGEST, ROWS, random_size, random_token
from sim.phi_model import FIELD_BEATS, PhiModel, beats_of_bytes
from sim.seeds import SEEDS

NAMES = {code: name for name, code in ERRORS.items()}


def answered(model: PhiModel, packets: bytes, pauses: tuple[int, ...] = ()) -> list[tuple[str, dict[str, int]]]:
    return RESULTS.decode(model.answer(beats_of_bytes(packets), pauses).tobytes())


@pytest.mark.parametrize("entries_max", [64, 4096, ENTRIES_LIMIT])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_bad_packet_is_refused_for_what_is_wrong_with_it(seed: int, entries_max: int) -> None:
    random, model = Random(seed), PhiModel(entries_max)
    seen = set()
    for bad in bad_tokens(random, entries_max):
        after = b"" if bad.ends else random_token(random, entries_max).packet(77)
        answers = answered(model, bad.packet + after)
        assert (answers[0][0], NAMES[answers[0][1]["error"]]) == ("error", bad.error), f"{bad.what}: {answers[0]}"
        assert [values["job_id"] for _, values in answers[1:]] == [77] * (not bad.ends), bad.what
        seen.add(bad.error)
    assert seen == set(ERRORS) - {"no_error", "input_stalled", "output_stalled"}
    assert model.counters["jobs_failed"] > 60


def test_a_pause_ends_a_packet() -> None:
    random, model = Random(3), PhiModel(ENTRIES_LIMIT)
    token = token_to_spoil(random, ENTRIES_LIMIT)
    packet, after = token.packet(5), token.packet(6)
    beats = len(packet) // 16
    for pause in range(1, beats):
        first, *rest = answered(model, packet + after, (pause,))
        assert first == ("error", {"job_id": 5, "error": ERRORS["input_stalled"], "beat": pause, "zero": 0})
        # What comes then does not begin with the magic number.
        assert [NAMES[values["error"]] for _, values in rest] == ["magic"]
    assert [values["job_id"] for _, values in answered(model, packet + after, (beats,))] == [5, 6]


def test_beats_of_entries_are_counted_as_far_as_they_are_used() -> None:
    token = token_to_spoil(Random(4), ENTRIES_LIMIT)
    packet = token.packet(5)
    for sent in range(1, len(packet) // 16 + 1):
        model = PhiModel(ENTRIES_LIMIT)
        answered(model, packet[: 16 * sent])
        whole = sent == FIELD_BEATS + token.beats
        assert model.counters == {"beats": token.beats if whole else max(0, sent - FIELD_BEATS - 1), "jobs_done": whole, "jobs_failed": not whole}


def test_random_tokens_are_good_and_of_every_kind() -> None:
    random, model = Random(1), PhiModel(ENTRIES_LIMIT)
    flags = {name: 0 for name in FLAGS}
    seen = set()
    for job in range(600):
        token = random_token(random, ENTRIES_LIMIT, kind=random.choice([*ROWS, "bits"]))
        ((kind, values),) = answered(model, token.packet(job))
        assert kind == ("partial" if token.partial else "record") and values["job_id"] == job
        assert values["valid"] + values["masked"] + values["excluded"] == token.entries.size
        seen.add((FORMATS[token.format], kind))
        flags = {name: count + (values["flags"] >> bit & 1) for bit, (name, count) in enumerate(flags.items())}
    assert len(seen) == 6 and min(flags.values()) > 20, flags


def test_long_rows_come_now_and_then() -> None:
    random = Random(2)
    sizes = [random_size(random, often=0.98) for _ in range(5000)]
    assert max(sizes) == LONGEST and min(sizes) == 1 and 30 < sum(size > 64 for size in sizes) < 200
