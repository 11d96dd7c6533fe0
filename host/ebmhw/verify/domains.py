"""The domains of this package by name, and which are asked where nothing else is said."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from ebmhw.errors import MissingExtra, VerificationError, shown
from ebmhw.verify.domain import Domain
from ebmhw.verify.texts import Texts

_HOMES = {
    "code": ("ebmhw.verify.code.static", "Code"),
    "execution": ("ebmhw.verify.code", "Execution"),
    "programs": ("ebmhw.verify.programs", "Programs"),
    "dates": ("ebmhw.verify.dates", "Dates"),
    "facts": ("ebmhw.verify.facts", "Facts"),
    "arithmetic": ("ebmhw.verify.arithmetic", "Arithmetic"),
    "logic": ("ebmhw.verify.logic", "Logic"),
    "grounding": ("ebmhw.verify.grounding", "Grounding"),
}

NAMES = tuple(_HOMES)
"""Every domain, in the order in which they are asked: of two that read the same words the first keeps them."""

HEURISTIC = ("grounding",)
"""Domains whose VIOLATED is a suspicion and not a proof: asked only by name."""


def divided(domains: Sequence[str | Domain] | None) -> tuple[list[str] | None, list[Domain]]:
    """Return the names, None for every exact one, and the objects of what a caller asks for.

    Raises
    ------
    VerificationError
        for what is neither, and for two domains of one name.
    """
    if domains is None:
        return None, []
    if isinstance(domains, str):
        raise VerificationError(f"domains is {shown(domains)}; give a list of names, such as [{domains!r}]")
    if not domains:
        raise VerificationError(f"domains is empty, so that nothing would be checked; name some of {', '.join(NAMES)}, or leave it out")
    strange = [domain for domain in domains if not isinstance(domain, (str, Domain))]
    if strange:
        raise VerificationError(f"domains holds {shown(strange[0])}; give names or Domain objects")
    names = [domain if isinstance(domain, str) else domain.name for domain in domains]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise VerificationError(f"domain {twice[0]!r} is there {names.count(twice[0])} times; name it once")
    return [domain for domain in domains if isinstance(domain, str)], [domain for domain in domains if isinstance(domain, Domain)]


def chosen_names(domains: Sequence[str] | None, texts: Texts) -> list[str]:
    """Return the names of the domains for texts: those asked for, or every exact one.

    "programs" is asked only where there is a constraint program, "execution" only where there is a specification.

    Raises
    ------
    VerificationError
        for a name that is none, a knowledge file or a specification that no domain reads, "facts" without a knowledge file.
    """
    wanted = [name for name in NAMES if name not in HEURISTIC] if domains is None else list(domains)
    for name in wanted:
        if name not in _HOMES:
            raise VerificationError(f"domain {shown(name)} does not exist; there are {', '.join(NAMES)}")
    given = {"programs": texts.constraints, "facts": texts.knowledge, "execution": texts.specification}
    if domains is not None and texts.knowledge is not None and "facts" not in wanted:
        raise VerificationError(
            f"a knowledge file is given, but domain 'facts' is not asked; add it to domains={shown(wanted)}, or leave the file out"
        )
    if domains is not None and texts.knowledge is None and "facts" in wanted:
        raise VerificationError("domain 'facts' is asked, but without a knowledge file it has nothing to go by; give knowledge, or leave it out")
    if domains is not None and texts.specification is not None and not {"code", "execution"}.intersection(wanted):
        raise VerificationError(
            f"a specification is given, but neither domain 'code' nor 'execution' is asked; add one to domains={shown(wanted)}, or leave it out"
        )
    return [name for name in NAMES if name in wanted and given.get(name, "") is not None]


def make_domains(names: Sequence[str], texts: Texts) -> list[Domain]:
    """Return the domains of these names; the facts are those of the knowledge file, code has to do what the specification says."""
    argument = {"facts": texts.knowledge, "execution": texts.specification}
    made: list[Domain] = []
    for name in names:
        if name not in _HOMES:
            raise VerificationError(f"domain {shown(name)} does not exist here; there are {', '.join(NAMES)}; give your own as an object")
        module, cls = _HOMES[name]
        try:
            kind = getattr(import_module(module), cls)
        except ImportError as error:
            if (error.name or "").startswith("ebmhw"):
                raise
            raise MissingExtra(f"domain {name!r} needs {error.name}, which is missing: pip install 'ebmhw[verify]'") from error
        if name == "code":
            made.append(kind(texts.specification, executed="execution" in names))
        else:
            made.append(kind(argument[name]) if name in argument else kind())
    return made


def knowledge_text(knowledge: Any) -> str | None:
    """Return the text of a knowledge file, given by its path or as a Knowledge; None where there is none."""
    if knowledge is None:
        return None
    from ebmhw.verify.facts import Knowledge

    if isinstance(knowledge, Knowledge):
        return knowledge.text
    if isinstance(knowledge, (str, os.PathLike)):
        return Knowledge.read(knowledge).text
    raise VerificationError(f"knowledge is {shown(knowledge)}; give the path of a knowledge file, or Knowledge.from_text(...)")
