"""Propositional logic: expressions, their text, and the assignments that satisfy them as a problem for samplers and solvers."""

from __future__ import annotations

from ebmhw.problems.propositions.expressions import And, Expression, Iff, Implies, Not, Or, Var, Xor, evaluate, variables
from ebmhw.problems.propositions.grammar import parse
from ebmhw.problems.propositions.problem import Propositions, counterexample, entailment

__all__ = [
    "And",
    "Expression",
    "Iff",
    "Implies",
    "Not",
    "Or",
    "Propositions",
    "Var",
    "Xor",
    "counterexample",
    "entailment",
    "evaluate",
    "parse",
    "variables",
]
