"""verification: question and answer pairs whose truth is known, and how a pipeline fares on them."""

from ebmhw.bench.verification.evaluation import Counts, Verifier, evaluate, table
from ebmhw.bench.verification.listed import LISTED
from ebmhw.bench.verification.pairs import Pair, Split, knowledge_of, make_pairs

__all__ = ["LISTED", "Counts", "Pair", "Split", "Verifier", "evaluate", "knowledge_of", "make_pairs", "table"]
