"""Certificates of code: replayed by running it again, and refused where code, specification or verdict were changed."""

from __future__ import annotations

import json

import pytest

from ebmhw.errors import InvalidCertificate, VerificationError
from ebmhw.verify import Report, check_certificate, verify_code
from ebmhw.verify.certificate import digest

pytestmark = pytest.mark.confined

CODE = "def double(x):\n    return 2 * x\n"


def report(code: str = CODE) -> Report:
    return verify_code(code, "double", tests=[((3,), 6)], properties=["def prop(f, x: int):\n    assert f(x) == x + x\n"])


def resealed(certificate: dict, **changes: object) -> dict:
    changed = {**certificate, **changes}
    return {**changed, "digest": digest(changed)}


def test_it_is_replayed_from_its_json_alone() -> None:
    made = report()
    assert made.verdict == "VERIFIED"
    assert check_certificate(json.loads(json.dumps(made.certificate)), "", CODE) == "VERIFIED"
    wrong = report("def double(x):\n    return 2 * x + (x > 100)\n")
    assert wrong.verdict == "VIOLATED"
    assert check_certificate(wrong.certificate, "", wrong.texts.response) == "VIOLATED"


def test_a_false_verdict_cannot_be_certified() -> None:
    wrong = report("def double(x):\n    return 3 * x\n")
    claims = [{**claim, "verdict": "VERIFIED"} for claim in wrong.certificate["claims"]]
    with pytest.raises(InvalidCertificate, match="is not what the texts say"):
        check_certificate(resealed(wrong.certificate, verdict="VERIFIED", claims=claims), "", wrong.texts.response)


def test_other_code_and_another_specification_are_refused() -> None:
    made = report()
    with pytest.raises(InvalidCertificate, match="issued for another response"):
        check_certificate(made.certificate, "", CODE + "\n")
    other = verify_code(CODE, "double", tests=[((4,), 8)]).texts.specification
    with pytest.raises(InvalidCertificate, match="does not rest on the specification given"):
        check_certificate(made.certificate, "", CODE, specification=other)
    with pytest.raises(InvalidCertificate):
        check_certificate(resealed(made.certificate, specification=other), "", CODE)


@pytest.mark.parametrize("wrong", ["", "{}", "null", "[" * 100_000, '{"properties": 7}', "no JSON"])
def test_a_specification_that_is_none_makes_the_certificate_invalid(wrong: str) -> None:
    with pytest.raises(InvalidCertificate):
        check_certificate(resealed(report().certificate, specification=wrong), "", CODE)


def test_a_property_that_is_none_makes_the_certificate_invalid() -> None:
    made = report()
    specification = json.loads(made.texts.specification or "")
    specification["properties"] = ["def prop(:"]
    with pytest.raises(InvalidCertificate):
        check_certificate(resealed(made.certificate, specification=json.dumps(specification)), "", CODE)


def test_a_property_that_cannot_be_read_is_wrong_use() -> None:
    with pytest.raises(VerificationError, match=r"properties\[0\] defines no function whose name starts with 'prop'"):
        verify_code(CODE, "double", properties=["def p(f, x: int): pass"])


def test_reasons_name_no_folder_of_this_machine() -> None:
    made = verify_code("from json import nope\n\n\ndef double(x):\n    return 2 * x\n", "double", tests=[((3,), 6)])
    (reason,) = [claim.reason for claim in made.claims if claim.kind == "run"]
    assert "cannot import name 'nope' from 'json'" in reason and "/" not in reason
