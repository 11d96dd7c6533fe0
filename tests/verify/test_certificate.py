"""Certificates: replay finds every change, and a false claim cannot be made to pass."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import Clauses

from ebmhw.errors import InvalidCertificate, VerificationError
from ebmhw.verify import Report, VerifyRepairPipeline, check_certificate
from ebmhw.verify.certificate import digest

QUESTION = "1 2. -1 3. -2 3. ?"
PIGEONS = "1 2. 3 4. 5 6. -1 -3. -1 -5. -3 -5. -2 -4. -2 -6."


def report(question: str = QUESTION, response: str = "3. 1. 4 -4.") -> Report:
    return VerifyRepairPipeline(domains=[Clauses()], backend="cpu").verify(question, response)


def check(certificate: dict, question: str = QUESTION, response: str = "3. 1. 4 -4.") -> str:
    return check_certificate(certificate, question, response, domains=[Clauses()])


def resealed(certificate: dict) -> dict:
    """Return it with a digest that fits, as whoever changed it would."""
    return {**certificate, "digest": digest(certificate)}


def test_a_certificate_is_replayed_from_its_json_alone() -> None:
    made = report()
    assert [claim.verdict for claim in made.claims] == ["VERIFIED", "UNKNOWN", "VERIFIED"]
    assert check(json.loads(json.dumps(made.certificate))) == made.verdict == "UNKNOWN"
    assert made.certificate == report().certificate


def test_a_contradiction_carries_a_proof_and_an_open_question_a_witness() -> None:
    made = report(PIGEONS, "-4 -6.")
    assert made.verdict == "VIOLATED"
    outcomes = {(d["witness"] is not None, d["proof"] is not None) for d in made.certificate["decisions"].values()}
    assert outcomes == {(True, False), (False, True)}
    assert check(made.certificate, PIGEONS, "-4 -6.") == "VIOLATED"


def test_replay_asks_no_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = report().certificate
    monkeypatch.setattr("ebmhw.backends.get_backend", lambda *_: pytest.fail("a backend was opened"))
    monkeypatch.setattr("ebmhw.problems.decide.decide", lambda *_: pytest.fail("the solver ran"))
    assert check(certificate) == "UNKNOWN"


def test_other_texts_are_refused_by_name() -> None:
    certificate = report().certificate
    with pytest.raises(InvalidCertificate, match="issued for another response"):
        check(certificate, response="3. 1.")
    with pytest.raises(InvalidCertificate, match="issued for another question"):
        check(certificate, question="1 2.")


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("verdict", lambda c: c.update(verdict="VERIFIED"), "verdict of the certificate is 'VERIFIED', the texts give 'UNKNOWN'"),
        ("claim's verdict", lambda c: c["claims"][1].update(verdict="VERIFIED"), "claim 1 is not what the texts say"),
        ("claim's reason", lambda c: c["claims"][1].update(reason="obvious"), "claim 1 is not"),
        ("claim's span", lambda c: c["claims"][0].update(span=[0, 1]), "claim 0 is not"),
        ("claim dropped", lambda c: c["claims"].pop(1), "2 claims|claim 1 is not"),
        ("claim added", lambda c: c["claims"].append(c["claims"][0]), "4 claims, the texts have 3"),
        ("goals", lambda c: c.update(open_goals=["all"]), "open goals of the certificate"),
        ("domain dropped", lambda c: c.update(domains=[], claims=[], decisions={}), "of the domains none, not of clauses"),
        ("domain said to fail", lambda c: c["failures"].append({"domain": "dates", "code": "x", "text": "x"}), "not once each of the domains asked"),
        ("1.0 for 1", lambda c: c["claims"][0].update(span=[float(x) for x in c["claims"][0]["span"]]), "no certificate of ebmhw: claims/0/span"),
        ("true for 1", lambda c: c["claims"][1]["content"].update(literals=[True]), "claim 1 is not"),
        ("decision dropped", lambda c: c["decisions"].pop(next(iter(c["decisions"]))), "which the certificate does not hold"),
    ],
)
def test_a_changed_part_is_found_even_under_a_new_digest(part: str, change, message: str) -> None:
    certificate = copy.deepcopy(report().certificate)
    change(certificate)
    with pytest.raises(InvalidCertificate, match=message):
        check(resealed(certificate))


def test_a_changed_witness_or_proof_is_found() -> None:
    whole = report(PIGEONS, "-4 -6.").certificate
    for key, decision in whole["decisions"].items():
        for name in ("witness", "proof"):
            if decision[name] is None:
                continue
            changed = copy.deepcopy(whole)
            if name == "witness":
                changed["decisions"][key]["witness"] = [-literal for literal in decision["witness"]]
            else:
                changed["decisions"][key]["proof"] = [[]]
            with pytest.raises(InvalidCertificate, match=r"(witness|proof) of decision"):
                check(resealed(changed), PIGEONS, "-4 -6.")


def test_changed_clauses_are_found() -> None:
    certificate = copy.deepcopy(report().certificate)
    for decision in certificate["decisions"].values():
        decision["clauses"] = decision["clauses"][:1]
    with pytest.raises(InvalidCertificate, match="clauses of decision"):
        check(resealed(certificate))


def test_what_replay_does_not_look_at_is_found_by_the_digest() -> None:
    certificate = {**report().certificate, "seed": 5}
    with pytest.raises(InvalidCertificate, match="digest"):
        check(certificate)
    assert check(resealed(certificate)) == "UNKNOWN"


def test_a_proof_cannot_be_replaced_by_silence_that_helps() -> None:
    certificate = copy.deepcopy(report(PIGEONS, "-4 -6.").certificate)
    for decision in certificate["decisions"].values():
        decision["proof"] = None
    with pytest.raises(InvalidCertificate):
        check(resealed(certificate), PIGEONS, "-4 -6.")


def test_what_is_no_certificate_says_where() -> None:
    for strange in ({}, {"format": "other"}, [], "text", None, 5):
        with pytest.raises(InvalidCertificate, match="no certificate of ebmhw"):
            check(strange)  # type: ignore[arg-type]
    certificate = report().certificate
    with pytest.raises(InvalidCertificate, match="claims/0/verdict"):
        check({**certificate, "claims": [{**certificate["claims"][0], "verdict": "TRUE"}]})


def test_another_version_says_so() -> None:
    certificate = copy.deepcopy(report().certificate)
    certificate["software"]["ebmhw"] = "99.0"
    certificate["claims"][0]["reason"] = "as 99.0 has it"
    with pytest.raises(InvalidCertificate, match=r"issued by ebmhw '99\.0' and this is"):
        check(resealed(certificate))


clause = st.lists(st.integers(1, 5).flatmap(lambda v: st.sampled_from([v, -v])), min_size=1, max_size=3)
lines = st.lists(clause, min_size=1, max_size=6).map(lambda rows: " ".join(" ".join(map(str, row)) + "." for row in rows))


@settings(max_examples=40)
@given(lines, lines, st.data())
def test_no_single_change_of_a_value_passes(question: str, response: str, data: st.DataObject) -> None:
    """Changes one leaf of the JSON anywhere; the digest is left as it was."""
    certificate = json.loads(json.dumps(report(question, response).certificate))
    assert check(certificate, question, response) == certificate["verdict"]
    leaves = list(_leaves(certificate, ()))
    path, value = data.draw(st.sampled_from([leaf for leaf in leaves if leaf[0][0] != "digest"]))
    changed = copy.deepcopy(certificate)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value + 1 if isinstance(value, int) else f"{value}x" if isinstance(value, str) else "x"
    with pytest.raises(InvalidCertificate):
        check(changed, question, response)


def _leaves(value, path):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield path, value
        return
    for step, inner in items:
        yield from _leaves(inner, (*path, step))


MIXED = ("What is 2 + 2?", "2 + 2 = 5. March 1, 2024 was a Friday.")


def test_a_certificate_of_other_domains_than_demanded_is_refused() -> None:
    """One of the dates alone is true of the dates, and must not pass for one of everything where that is asked for."""
    question, response = MIXED
    of_dates = VerifyRepairPipeline(domains=["dates"]).verify(question, response).certificate
    assert check_certificate(of_dates, question, response) == check_certificate(of_dates, question, response, ["dates"]) == "VERIFIED"
    with pytest.raises(InvalidCertificate, match="of the domains dates, not of dates, arithmetic; give"):
        check_certificate(of_dates, question, response, ["arithmetic", "dates"])
    twice = {**of_dates, "domains": ["dates", "dates"]}
    with pytest.raises(InvalidCertificate, match="of the domains dates, dates, not of dates; give"):
        check_certificate(resealed(twice), question, response)


def test_a_failure_that_hides_a_violation_is_refused() -> None:
    question, response = MIXED
    certificate = copy.deepcopy(VerifyRepairPipeline().verify(question, response).certificate)
    certificate["failures"] = [{"domain": "arithmetic", "code": "pipeline-timeout", "text": "slow"}]
    certificate["claims"] = [claim for claim in certificate["claims"] if claim["domain"] != "arithmetic"]
    certificate.update(verdict="UNKNOWN", open_goals=[])
    with pytest.raises(InvalidCertificate, match=r"says that domain 'arithmetic' failed, but it finds .2 \+ 2 = 5. violated"):
        check_certificate(resealed(certificate), question, response)


def test_a_real_failure_is_replayed_as_one() -> None:
    question, response = "1. ?", "1. slow"
    report = VerifyRepairPipeline(domains=[Clauses()], backend="cpu").verify(question, response)
    assert report.failures and check_certificate(report.certificate, question, response, [Clauses()]) == "UNKNOWN"


def test_knowledge_and_constraints_can_be_demanded() -> None:
    certificate = report().certificate
    with pytest.raises(InvalidCertificate, match="does not rest on the constraints given; it was issued with no constraints"):
        check_certificate(certificate, QUESTION, "3. 1. 4 -4.", [Clauses()], constraints="Domain:")


def test_deep_nesting_and_strange_arguments_are_named() -> None:
    certificate = copy.deepcopy(report().certificate)
    deep: dict = {}
    for _ in range(100_000):
        deep = {"x": deep}
    certificate["claims"][0]["content"] = deep
    with pytest.raises(InvalidCertificate, match="nested too deeply"):
        check(certificate)
    with pytest.raises(VerificationError, match="the response is 5; give a str"):
        check(report().certificate, response=5)  # type: ignore[arg-type]
