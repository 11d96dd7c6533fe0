"""verify_stream: the reports of one by one, in the order in which they are done; early stop; what is no candidate; the best."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streaming_deeds import Acts

from ebmhw.errors import VerificationError
from ebmhw.verify import VerifyRepairPipeline
from ebmhw.verify.batch.options import BatchOptions
from ebmhw.verify.models import Completion
from ebmhw.verify.streaming import Verdicted, best, ranked, verify_stream

QUESTION = "What is 97 + 86?"
PIECES = [
    "97 + 86 = 183.",
    "97 + 86 = 173.",
    "The answer is 183.",
    "The answer is 184.",
    "Pages 10 - 20.",
    "right",
    "wrong",
    "perhaps",
    "\ud800",
]
texts = st.lists(st.lists(st.sampled_from(PIECES), max_size=3).map(" ".join), max_size=12)


def pipeline() -> VerifyRepairPipeline:
    return VerifyRepairPipeline(domains=["arithmetic", Acts()])


def content(record: Verdicted) -> tuple[Any, ...]:
    assert record.report is not None
    said = record.report.to_json()
    del said["seconds"]
    return record.index, record.candidate, record.verdict, record.stopped, said, record.report.certificate["digest"]


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(texts, st.sampled_from([0, 2, 3]))
def test_the_reports_are_those_of_one_by_one(candidates: list[str], workers: int) -> None:
    found = sorted(map(content, verify_stream(QUESTION, candidates, pipeline(), workers=workers)), key=lambda one: one[0])
    alone = pipeline()
    assert found == [content(Verdicted(at, text, alone.verify(QUESTION, text), 0.0)) for at, text in enumerate(candidates)]


def test_verdicts_come_as_they_are_done_and_not_as_they_were_given(tmp_path: Path) -> None:
    """The first one is done only once the verdicts of all others are here: in the order of the candidates this would never end."""
    event, found = tmp_path / "others", []
    for record in verify_stream("", [f"right until {event}", "right", "wrong wait 20", "right"], pipeline(), workers=2, total_budget=500.0):
        found.append(record.index)
        if len(found) == 3:
            event.touch()
    assert found == [1, 2, 3, 0]


def test_candidates_are_taken_as_workers_come_free() -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "wrong"

    stream = verify_stream("", endless(), pipeline(), workers=2)
    for _ in range(10):
        next(stream)
    stream.close()
    assert 10 <= taken <= 14


def test_an_early_stop_ends_the_stream_with_the_record_that_it_is_for() -> None:
    found = list(verify_stream("", ["wrong", "right wait 1", "sleep", "sleep"], pipeline(), workers=2, stop="verified"))
    assert [record.verdict for record in found][-1] == "VERIFIED"
    assert {record.index for record in found} <= {0, 1}
    found = list(verify_stream("", ["right", "wrong", "right"], pipeline(), workers=0, stop=lambda record: record.verdict == "VIOLATED"))
    assert [record.index for record in found] == [0, 1]


@pytest.mark.parametrize("workers", [0, 1])
def test_what_is_no_text_has_a_record_that_names_it(workers: int) -> None:
    lock = (one for one in "ab")  # cannot go to another process
    found = {record.index: record for record in verify_stream("", [None, "right", 5, b"right", lock, "memory"], pipeline(), workers=workers)}
    assert [found[at].stopped for at in range(6)] == ["error", None, "error", "error", "error", None]
    assert found[0].reason == "candidate 0 is None; give a text, or a Completion of a model"
    assert "candidate 3 is b'right'" in found[3].reason
    assert "generator" in found[4].reason
    assert found[1].verified
    assert found[5].report is not None
    assert found[5].report.degraded
    assert found[0].verdict == "UNKNOWN"
    assert found[0].to_json()["report"] is None


def test_completions_are_their_texts_and_the_best_is_chosen_as_everywhere() -> None:
    given_ = [Completion(text, logprob, 2, "stop") for text, logprob in (("wrong", -1.0), ("right b", -8.0), ("right a", -4.0), ("perhaps", 0.0))]
    records = list(verify_stream("", given_, pipeline(), workers=0))
    assert best(records, given_).candidate == "right a"
    assert best(records).candidate == "right b"
    assert [record.index for record in ranked(reversed(records), given_)] == [2, 1, 3, 0]
    with pytest.raises(VerificationError, match="none is the best"):
        best([])
    with pytest.raises(VerificationError, match="2 completions and a record of candidate 3"):
        best(records, given_[:2])


def test_options_of_a_batch_do_for_a_pipeline() -> None:
    (record,) = verify_stream(QUESTION, ["97 + 86 = 173."], BatchOptions(domains=("arithmetic",)), workers=0)
    assert record.verdict == "VIOLATED"


def test_constraints_reach_the_workers() -> None:
    program = (
        "Domain:\n1: oldest\n2: newest\nVariables:\nred [IN] [1, 2]\nblue [IN] [1, 2]\nConstraints:\nred < blue\nQuery:\nA) red == 2\nB) blue == 2\n"
    )
    found = {one.index: one.verdict for one in verify_stream("Which is the newest?", ["The answer is A.", "The answer is B."], constraints=program)}
    assert found == {0: "VIOLATED", 1: "VERIFIED"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"question": None}, "the question is None"),
        ({"candidates": "one text"}, "candidates is one text"),
        ({"candidates": 5}, "candidates is 5"),
        ({"pipeline": "smollm2"}, "pipeline is 'smollm2'"),
        ({"budget": 0}, "budget is 0; give seconds above 0"),
        ({"budget": math.nan}, "budget is nan"),
        ({"budget": True}, "budget is True"),
        ({"total_budget": -1}, "total_budget is -1"),
        ({"total_budget": "5"}, "total_budget is '5'"),
        ({"workers": -1}, "workers is -1"),
        ({"workers": 1.5}, "workers is 1.5"),
        ({"workers": 10**6}, "workers is 1000000"),
        ({"stop": "first"}, "stop is 'first'"),
        ({"stop": 3}, "stop is 3"),
        ({"constraints": 3}, "constraints is 3"),
        ({"specification": {}}, "specification is {}"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(arguments: dict[str, Any], said: str) -> None:
    question, candidates = arguments.pop("question", ""), arguments.pop("candidates", ["right"])
    with pytest.raises(VerificationError, match="^" + said.replace("{", r"\{")):
        verify_stream(question, candidates, arguments.pop("pipeline", None), **arguments)


def test_a_pipeline_that_cannot_travel_is_refused_by_a_sentence() -> None:
    class Local(Acts.__mro__[1]):  # type: ignore[misc]
        name = "local"

        def read(self, *_: Any) -> list[Any]:
            return []

        judge = read

    with pytest.raises(VerificationError, match=r"the pipeline cannot go to worker processes .* or workers=0"):
        list(verify_stream("", ["right"], VerifyRepairPipeline(domains=[Local()]), workers=1))


def test_what_stop_raises_comes_out_and_nothing_is_left() -> None:
    with pytest.raises(ZeroDivisionError):
        list(verify_stream("", ["right", "right"], pipeline(), workers=1, stop=lambda record: bool(1 / 0)))
    assert multiprocessing.active_children() == []


def test_a_stream_that_is_never_asked_starts_nothing() -> None:
    stream = verify_stream("", ["right"], pipeline(), workers=2)
    assert multiprocessing.active_children() == []
    stream.close()
    assert list(stream) == []


def test_what_the_source_of_candidates_raises_comes_out() -> None:
    def broken() -> Iterator[str]:
        yield "right"
        raise TypeError("the source broke")

    with pytest.raises(TypeError, match="the source broke"):
        list(verify_stream("", broken(), pipeline(), workers=1))


def test_what_was_not_checked_comes_after_everything_that_was() -> None:
    pipeline = VerifyRepairPipeline(domains=["arithmetic"])
    records = list(verify_stream("What is 97 + 86?", ["97 + 86 = 173", None, "Who knows?"], pipeline, workers=0))  # type: ignore[list-item]
    late = Verdicted(3, "97 + 86 = 190", None, 0.0, "not reached", "the total budget of 1 s ended before candidate 3 was reached")
    assert [record.index for record in ranked([late, *records])] == [2, 0, 1, 3]
    assert best([late, records[0], records[1]]).candidate == "97 + 86 = 173"
    sure = [Completion(text, -0.1, 1, "stop") for text in ("a", "b", "c", "d")]
    assert best([late, records[0], records[1]], sure).index == 0
    with pytest.raises(VerificationError, match=r"none of 2 records was checked.*candidate 1 is None.*; give"):
        best([late, records[1]])
