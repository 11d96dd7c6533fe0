"""Certificates: what a report rests on, bound to its texts by hashes, and the replay that needs neither model nor backend.

A replay reads and judges the texts again, with a prover that only checks recorded witnesses and proofs, and runs code again in the sandbox; claims,
open goals and verdict must be those of the certificate to the letter. So a change to the texts, claims, problems or the verdict is found, and a
change to a witness or proof unless it is another valid one. The digest finds any other change; it is a checksum and not a signature: who can change a
certificate can compute a new digest, but cannot make a false claim pass. What a certificate says is said of the domains that it names; who needs
certain ones names them to `check_certificate`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ebmhw
from ebmhw.errors import EbmhwError, InvalidCertificate, MissingExtra, VerificationError, shown
from ebmhw.verify.certificate_schema import FORMAT, SCHEMA
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Domain
from ebmhw.verify.domains import chosen_names, divided, knowledge_text, make_domains
from ebmhw.verify.examine import Failure, examine
from ebmhw.verify.prover import Record, ReplayProver
from ebmhw.verify.texts import Texts
from ebmhw.verify.verdict import VIOLATED, Verdict, together

if TYPE_CHECKING:
    from ebmhw.verify.report import Report

REPLAY_SECONDS = 300.0
"""Longest replay unless the caller says otherwise."""


def issue(report: Report) -> dict[str, Any]:
    """Return the certificate of a report as JSON holds it.

    It holds hashes of the texts and no text of them but the words of claims; a knowledge file, a constraint program and a specification of code are
    held in full, because the verdict follows from them.
    """
    certificate: dict[str, Any] = {
        "format": FORMAT,
        "software": {"ebmhw": ebmhw.__version__},
        "question": text_hash(report.texts.question),
        "response": text_hash(report.texts.response),
        "knowledge": report.texts.knowledge,
        "constraints": report.texts.constraints,
        "specification": report.texts.specification,
        "domains": list(report.domains),
        "failures": [failure._asdict() for failure in report.failures],
        "verdict": report.verdict,
        "claims": [claim.to_json() for claim in report.claims],
        "open_goals": list(report.open_goals),
        "decisions": {key: record.to_json() for key, record in sorted(report.records.items())},
        "backend": report.backend,
        "seed": report.seed,
    }
    certificate["digest"] = digest(certificate)
    return certificate


def check_certificate(
    certificate: Mapping[str, Any],
    question: str,
    response: str,
    domains: Sequence[str | Domain] | None = None,
    *,
    knowledge: Any = None,
    constraints: str | None = None,
    specification: str | None = None,
    time_limit: float | None = REPLAY_SECONDS,
) -> Verdict:
    """Return the verdict of a certificate once everything that it says was found again in the texts.

    Parameters
    ----------
    certificate : as `Report.certificate` or json.load gives it
    question, response : the texts that it was issued for
    domains : as given to the pipeline that issued it, objects of your own among them; a certificate of others is refused, for it may be silent about
        what these would find. None takes those that it names
    knowledge, constraints, specification : what it must rest on; where left out, what it holds itself is taken
    time_limit : seconds

    Raises
    ------
    InvalidCertificate
        where the certificate was changed, belongs to other texts, or was issued by another version whose rules differ.
    VerificationError
        for arguments that are not allowed.
    PipelineTimeoutError
        where the replay takes longer than ``time_limit``.
    SandboxUnavailable
        where the certificate is of code that was run, and this machine cannot confine it.
    """
    for name, text in (("question", question), ("response", response)):
        if not isinstance(text, str):
            raise VerificationError(f"the {name} is {shown(text)}; give a str")
    deadline = Deadline(time_limit)
    wanted, own = divided(domains)
    hashes = {"question": text_hash(question), "response": text_hash(response)}
    _check_hashes(certificate, hashes)
    try:
        _check_form(certificate)
        written = _canonical(certificate)
    except RecursionError:
        raise InvalidCertificate("the certificate is nested too deeply to be one of ebmhw; it was changed") from None
    demands = {"knowledge": knowledge_text(knowledge), "constraints": constraints, "specification": specification}
    for name, demanded in demands.items():
        if demanded is not None and demanded != certificate[name]:
            raise InvalidCertificate(
                f"the certificate does not rest on the {name} given; it was issued with {'other' if certificate[name] else 'no'} {name}"
            )
    texts = Texts(question, response, certificate["knowledge"], certificate["constraints"], certificate["specification"])
    try:
        names = list(certificate["domains"]) if domains is None else wanted
        asked = [*make_domains(chosen_names(names, texts), texts), *own]
    except EbmhwError as error:
        raise InvalidCertificate(f"the certificate cannot be replayed: {error}") from error
    if [domain.name for domain in asked] != certificate["domains"]:
        named, expected = ", ".join(certificate["domains"]) or "none", ", ".join(domain.name for domain in asked) or "none"
        raise InvalidCertificate(f"the certificate is of the domains {named}, not of {expected}; give domains=[...] as the pipeline had them")
    recorded = {key: Record.from_json(record) for key, record in certificate["decisions"].items()}
    prover = ReplayProver(recorded, deadline)
    failed = tuple(Failure(**failure) for failure in certificate["failures"])
    without = {failure.domain for failure in failed}
    if len(without) < len(failed) or not without <= {domain.name for domain in asked}:
        raise InvalidCertificate(f"the failures {shown(sorted(without))} are not once each of the domains asked; the certificate was changed")
    try:
        claims, open_goals, failures = examine(texts, [domain for domain in asked if domain.name not in without], prover, deadline, degrade=False)
    except VerificationError as error:
        raise InvalidCertificate(f"the certificate cannot be replayed: {error}") from error
    assert not failures
    _compare("claims", [claim.to_json() for claim in claims], certificate)
    _compare("open_goals", list(open_goals), certificate)
    unused = sorted(set(recorded) - set(prover.records))
    if unused:
        raise InvalidCertificate(f"no claim of these texts rests on decision {unused[0][:16]} of the certificate; it was changed")
    _compare("verdict", together((claim.verdict for claim in claims), complete=not (open_goals or failed)), certificate)
    _refute_failures(texts, [domain for domain in asked if domain.name in without], deadline)
    if _hash(written) != certificate["digest"]:
        raise InvalidCertificate("the digest of the certificate is not that of its content; something in it was changed")
    verdict: Verdict = certificate["verdict"]
    return verdict


def _refute_failures(texts: Texts, domains: Sequence[Domain], deadline: Deadline) -> None:
    """Refuse a certificate that says of a domain that it failed, where it finds a violation without any search."""
    for domain in domains:
        claims, _, _ = examine(texts, [domain], ReplayProver({}, deadline), deadline)
        violated = [claim for claim in claims if claim.verdict == VIOLATED]
        if violated:
            raise InvalidCertificate(
                f"the certificate says that domain {domain.name!r} failed, but it finds {shown(violated[0].text)} violated; it was changed, or was "
                "issued by a machine too slow for its time limit: verify again"
            )


def digest(certificate: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a certificate's content, of its JSON with sorted keys, the digest itself left out."""
    return _hash(_canonical(certificate))


def _canonical(certificate: Mapping[str, Any]) -> str:
    return json.dumps({key: value for key, value in certificate.items() if key != "digest"}, sort_keys=True, separators=(",", ":"))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8; lone surrogates, which UTF-8 has no place for, count as Python's surrogatepass writes them."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _check_hashes(certificate: Any, hashes: Mapping[str, str]) -> None:
    """Refuse a certificate of other texts before anything else is looked at: the form of one of a million proof steps takes seconds to check."""
    for name, found in hashes.items():
        issued = certificate.get(name) if isinstance(certificate, Mapping) else None
        if isinstance(issued, str) and issued != found:
            raise InvalidCertificate(f"the certificate was issued for another {name}: the SHA-256 of this one is not {shown(issued[:16])}")


def _check_form(certificate: Mapping[str, Any]) -> None:
    try:
        import jsonschema
        from jsonschema.validators import extend
    except ImportError:
        raise MissingExtra("certificates are checked with jsonschema, which is missing: pip install 'ebmhw[verify]'") from None
    base = jsonschema.Draft202012Validator
    # JSON Schema takes 1.0 for an integer.
    exact = extend(base, type_checker=base.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int))
    try:
        exact(SCHEMA).validate(certificate)
    except jsonschema.ValidationError as error:
        place = "/".join(map(str, error.absolute_path)) or "the whole"
        raise InvalidCertificate(f"this is no certificate of ebmhw: {place}: {shown(error.message)}") from None


def _compare(part: str, found: Any, certificate: Mapping[str, Any]) -> None:
    """Refuse a certificate whose part is not to the letter what the replay found."""
    if _written(found) == _written(certificate[part]):
        return
    issued_by, here = certificate["software"]["ebmhw"], ebmhw.__version__
    why = "it was changed" if issued_by == here else f"it was issued by ebmhw {shown(issued_by)} and this is {here}: check it with that version"
    if part == "claims":
        at = next((i for i, (a, b) in enumerate(zip(found, certificate[part], strict=False)) if _written(a) != _written(b)), None)
        where = f"{len(certificate[part])} claims, the texts have {len(found)}" if at is None else f"claim {at} is not what the texts say"
        raise InvalidCertificate(f"{where}; {why}")
    raise InvalidCertificate(f"{part.replace('_', ' ')} of the certificate is {shown(certificate[part])}, the texts give {shown(found)}; {why}")


def _written(value: Any) -> str:
    """Return a value as JSON: there 1, 1.0 and true differ, which compare equal in Python, and tuples are the lists they become."""
    return json.dumps(value, sort_keys=True)
