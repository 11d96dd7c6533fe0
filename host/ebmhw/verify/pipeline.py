"""VerifyRepairPipeline: check a response, repair it, and let a language model try again where that is not enough."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

from ebmhw.contract.formats import SEED_BITS
from ebmhw.errors import RepairError, VerificationError, shown
from ebmhw.numbers import whole
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Domain
from ebmhw.verify.domains import chosen_names, divided, knowledge_text, make_domains
from ebmhw.verify.examine import examine
from ebmhw.verify.prover import LiveProver
from ebmhw.verify.repair import RepairReport, repaired
from ebmhw.verify.report import Report
from ebmhw.verify.texts import Texts

if TYPE_CHECKING:
    from ebmhw.backends import SamplerBackend
    from ebmhw.verify.models import LanguageModel

TEXT_LIMIT = 2**26
"""Characters of one text; what is not read within the time limit is reported."""

_KEPT = 64
"""Choices of domains that are kept made; a batch may have a specification a line."""


@final
class VerifyRepairPipeline:
    """Checks what a language model wrote, claim by claim, and repairs it.

    Parameters
    ----------
    llm : the model that answers and tries again: "smollm2", "http://host/v1#name", a folder or (model, tokenizer) of transformers, a function
        str -> str, or a `LanguageModel`; None to check and repair without one. ``model=`` is accepted for it
    backend : where searches run: a name of `get_backend`, a backend, or None for the default; opened at the first search
    domains : names of what to check (see `ebmhw.verify.domains`), or `Domain` objects of your own; None for every exact one
    knowledge : path of a knowledge file, or a `Knowledge`, for domain "facts"
    time_limit : wall-clock seconds of one `verify`, model calls not counted; what is not done by then is reported and UNKNOWN
    seed : of the searches and of the model's sampling
    self_constraints : have the model write constraints for each question, and check its answers by them too
    """

    def __init__(
        self,
        llm: Any = None,
        backend: str | SamplerBackend | None = None,
        *,
        model: Any = None,
        domains: Sequence[str | Domain] | None = None,
        knowledge: Any = None,
        time_limit: float | None = 30.0,
        seed: int = 0,
        self_constraints: bool = False,
    ) -> None:
        if llm is not None and model is not None:
            raise VerificationError("both llm and model are given, two names for one thing; give one of them")
        number = whole(seed)
        if number is None or not 0 <= number < 2**SEED_BITS:
            raise VerificationError(f"seed is {shown(seed)}; give a whole number from 0 to 2^64 - 1")
        Deadline(time_limit)
        self._llm = model if llm is None else llm
        self._backend_given = backend
        self.seed, self.time_limit, self.self_constraints = number, time_limit, bool(self_constraints)
        self._names, self._own = divided(domains)
        self._knowledge = knowledge_text(knowledge)
        self._domains: dict[tuple[tuple[str, ...], str | None], tuple[Domain, ...]] = {}
        if self.self_constraints and self._llm is None:
            raise VerificationError("self_constraints=True has the model write constraints, and there is none; give llm")
        # What the domains need (libraries, a knowledge file that can be read) is found missing here, not in the midst of work.
        self._asked(Texts("", "", self._knowledge, None))

    @cached_property
    def llm(self) -> LanguageModel:
        """The language model; loaded when it is first used. RepairError where there is none."""
        if self._llm is None:
            raise RepairError("this pipeline has no language model; give llm, or a response")
        from ebmhw.verify.models import as_model

        return as_model(self._llm)

    @cached_property
    def backend(self) -> SamplerBackend:
        """The backend of searches; opened when it is first used."""
        if self._backend_given is None or isinstance(self._backend_given, str):
            from ebmhw.backends import get_backend

            return get_backend(self._backend_given)
        return self._backend_given

    def verify(
        self, question: str, response: str, *, constraints: str | None = None, specification: Any = None, time_limit: float | None = None
    ) -> Report:
        """Return the report of a response: its claims, each with span, verdict and reason, and the verdict of the whole.

        Parameters
        ----------
        question, response : texts; the question may be empty
        constraints : a constraint program about question and answer (see `ebmhw.verify.programs`), trusted as the question is
        specification : what code in the response has to do, an `ebmhw.verify.code.Specification` or its text; the code is then run, in a sandbox
        time_limit : wall-clock seconds, the pipeline's where left out

        Raises
        ------
        VerificationError
            for arguments that are not allowed. A text that cannot be read is no error: its report says so.
        """
        texts = Texts(_text(question, "question"), _text(response, "response"), self._knowledge, constraints, specification_text(specification))
        if constraints is not None:
            _text(constraints, "constraints")
        started = time.perf_counter()
        deadline = Deadline(self.time_limit if time_limit is None else time_limit)
        asked = self._asked(texts)
        prover = LiveProver(lambda: self.backend, self.seed, deadline)
        claims, open_goals, failures = examine(texts, asked, prover, deadline)
        return Report(
            texts=texts,
            domains=tuple([domain.name for domain in asked]),
            claims=claims,
            open_goals=open_goals,
            failures=failures,
            backend=self.backend.name if prover.records else None,
            seed=self.seed,
            records=prover.records,
            seconds=time.perf_counter() - started,
        )

    def verify_and_repair(
        self,
        question: str,
        response: str | None = None,
        max_repairs: int = 3,
        *,
        constraints: str | None = None,
        specification: Any = None,
        n: int = 1,
        max_tokens: int = 256,
        time_limit: float | None = None,
        model_time_limit: float = 60.0,
    ) -> RepairReport:
        """Return what became of a response: checked, and repaired where a claim is violated.

        Repairs are tried in this order, each checked again: the exact values; the smallest change that a search finds; the model, with what is wrong
        spelled out. A response that is not violated is returned as it is, unless it leaves open what the question asks and a model can be asked.

        Parameters
        ----------
        question : a text
        response : the text to check; None to have the model answer, prompted with what its answer will be checked by
        max_repairs : attempts in all
        constraints : as for `verify`; with ``self_constraints`` the model writes them where left out
        specification : as for `verify`; what the code fails at is then told to the model
        n : answers that the model gives where ``response`` is None; the best by verdict and log-probability is taken, of code the one that fails the
            fewest tests (see `ebmhw.verify.selection`)
        max_tokens, model_time_limit : of one answer of the model, seconds for the latter
        time_limit : as for `verify`, of each check

        Raises
        ------
        RepairError
            where there is neither a response nor a model.
        ModelError
            where the model cannot give the first answer; a failure later is recorded as an attempt.
        """
        return repaired(
            self,
            _text(question, "question"),
            response,
            max_repairs,
            constraints=constraints,
            specification=specification_text(specification),
            n=n,
            max_tokens=max_tokens,
            time_limit=time_limit,
            model_time_limit=model_time_limit,
        )

    @property
    def has_model(self) -> bool:
        """True where a language model was given."""
        return self._llm is not None

    def domains_for(self, texts: Texts) -> tuple[Domain, ...]:
        """Return the domains that check these texts, in order."""
        return self._asked(texts)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process makes the same pipeline of; what was loaded and opened here is loaded and opened there when it is needed."""
        return {name: value for name, value in self.__dict__.items() if name not in ("llm", "backend")} | {"_domains": {}}

    def _asked(self, texts: Texts) -> tuple[Domain, ...]:
        """Return the domains for texts, made once for each choice of names."""
        names = tuple(chosen_names(self._names, texts))
        key = (names, texts.specification)
        if key not in self._domains:
            if len(self._domains) >= _KEPT:
                self._domains.clear()
            self._domains[key] = (*make_domains(names, texts), *self._own)
        return self._domains[key]


def specification_text(specification: Any) -> str | None:
    """Return the text of a specification, given as one or as its text, checked; None where there is none."""
    if specification is None:
        return None
    from ebmhw.verify.code.specification import Specification

    if isinstance(specification, Specification):
        return specification.to_json()
    if isinstance(specification, str):
        return Specification.from_json(specification).to_json()
    raise VerificationError(f"specification is {shown(specification)}; give an ebmhw.verify.code.Specification, or its text")


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise VerificationError(f"the {what} is {shown(value)}; give a str")
    if len(value) > TEXT_LIMIT:
        raise VerificationError(f"the {what} has {len(value)} characters; up to {TEXT_LIMIT} can be checked: split it")
    return value
