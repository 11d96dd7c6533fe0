"""Interaction chains: what a model, its tools and its training did, step after step, as JSON lines that show where they were changed.

Names, keys and the content hash of a step are those of carl-core 0.2 and 0.3; it reads our files, and we read its.
"""

from ebmhw.coherence.chains.actions import PROBED, ActionType
from ebmhw.coherence.chains.chain import InteractionChain
from ebmhw.coherence.chains.files import ChainLog, read_chain, write_chain
from ebmhw.coherence.chains.lines import SCHEMA, verify_step_content_hash
from ebmhw.coherence.chains.reading import ChainReading, Problem, from_jsonl
from ebmhw.coherence.chains.step import Step

__all__ = [
    "PROBED",
    "SCHEMA",
    "ActionType",
    "ChainLog",
    "ChainReading",
    "InteractionChain",
    "Problem",
    "Step",
    "from_jsonl",
    "read_chain",
    "verify_step_content_hash",
    "write_chain",
]
