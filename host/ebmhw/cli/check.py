"""`ebmhw check`: replay a certificate, without model and backend."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import click

from ebmhw.cli import claims, options, terminal, texts
from ebmhw.cli.verify import STATUS
from ebmhw.errors import InvalidFile
from ebmhw.verify.marking import visible
from ebmhw.verify.members import once

BYTE_LIMIT = 2**28
"""Of a certificate."""

_ONE = {"claims": "claim", "witnesses": "witness", "proofs": "proof"}


@click.command()
@click.argument("certificate", metavar="CERT")
@click.option("--question", metavar="FILE", help="The question that the certificate was issued for; - for standard input.  [default: an empty one]")
@click.option("--response", required=True, metavar="FILE", help="The response, or after a repair the final answer; - for standard input.")
@texts.domains_option
@click.option("--knowledge", metavar="FILE", help="Knowledge file that it must rest on.  [default: the one that it holds]")
@click.option("--constraints", metavar="FILE", help="Constraint program that it must rest on.  [default: the one that it holds]")
@click.option("--specification", metavar="FILE", help="Specification of code that it must rest on.  [default: the one that it holds]")
@click.option("--time-limit", type=options.seconds, default=300.0, show_default=True, metavar="SECONDS", help="Of the replay.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def check(
    certificate: str,
    question: str | None,
    response: str,
    domains: str | None,
    knowledge: str | None,
    constraints: str | None,
    specification: str | None,
    time_limit: float,
    as_json: bool,
) -> None:
    """Replay the certificate CERT over the texts it was issued for: every claim, witness and proof again, code in the sandbox.

    What a certificate says is said of the domains that it names. With --domains a certificate of others is refused.

    A newline at the end of a file may be the editor's: where the text with it is not the certificate's, the text without it is tried.

    Exit status: that of the verdict, 0 VERIFIED, 1 VIOLATED, 3 UNKNOWN; 2 where the certificate does not hold, or for wrong use or input.
    """
    from ebmhw.verify.certificate import check_certificate, text_hash

    if [certificate, question, response].count("-") > 1:
        raise click.UsageError("only one of certificate, question and response can be read from standard input; give the others as files")
    data = read_certificate(certificate)
    if question is None and data.get("question") not in (None, text_hash("")):
        raise click.UsageError("the certificate was issued for a question that is not empty; give it with --question")
    asked = "" if question is None else _fitting(texts.read_text(question), data.get("question"), text_hash)
    answer = _fitting(texts.read_text(response), data.get("response"), text_hash)
    started = time.perf_counter()
    verdict = check_certificate(
        data,
        asked,
        answer,
        domains=texts.names(domains),
        knowledge=knowledge,
        constraints=texts.from_file(constraints),
        specification=texts.from_file(specification),
        time_limit=time_limit,
    )
    seconds = time.perf_counter() - started
    replayed = _replayed(data)
    if as_json:
        terminal.echo_json({"verdict": verdict, "replayed": replayed, "digest": data["digest"], "software": data["software"], "seconds": seconds})
    else:
        said = ", ".join(f"{count} {name if count != 1 else _ONE[name]}" for name, count in replayed.items())
        click.echo(f"the certificate holds: {claims.verdict_word(verdict)}")
        failed = ", ".join(sorted({failure["domain"] for failure in data["failures"]}))
        click.echo(f"of {', '.join(data['domains'])}" + (f"; not of {failed}, which failed" if failed else ""))
        click.echo(f"replayed {said} in {terminal.duration(seconds)}; issued by ebmhw {visible(data['software']['ebmhw'])}")
    sys.exit(STATUS[verdict])


def read_certificate(path: str) -> dict[str, Any]:
    """Return the JSON object of a certificate file.

    Raises
    ------
    InvalidFile
        where it is no JSON object, or names a member twice, of which the replay would see only one.
    """
    raw = texts.read_bytes(path, BYTE_LIMIT)
    try:
        data = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=once, parse_constant=_no_number)
    except RecursionError:
        raise InvalidFile(f"{path}: the JSON is nested too deeply to be a certificate") from None
    except json.JSONDecodeError as error:
        raise InvalidFile(f"{path}:{error.lineno}: this is no JSON: {error.msg}; give a file that ebmhw verify --certificate wrote") from None
    except UnicodeDecodeError as error:
        raise InvalidFile(f"{path}: byte {error.start} is no UTF-8; give a file that ebmhw verify --certificate wrote") from None
    except ValueError as error:
        raise InvalidFile(f"{path}: {error}; give a file that ebmhw verify --certificate wrote") from None
    if not isinstance(data, dict):
        raise InvalidFile(f"{path}: this is no JSON object; give a file that ebmhw verify --certificate wrote")
    return data


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _fitting(text: str, expected: object, text_hash: Any) -> str:
    """Return a text, or the same without the newline at its end where only that is the certificate's."""
    for end in ("\r\n", "\n"):
        if text.endswith(end) and text_hash(text) != expected and text_hash(text[: -len(end)]) == expected:
            return text[: -len(end)]
    return text


def _replayed(data: dict[str, Any]) -> dict[str, int]:
    decisions = data["decisions"].values()
    return {
        "claims": len(data["claims"]),
        "witnesses": sum(decision["witness"] is not None for decision in decisions),
        "proofs": sum(decision["proof"] is not None for decision in decisions),
    }
