"""Kinds of steps."""

from __future__ import annotations

from enum import Enum
from typing import final


@final
class ActionType(str, Enum):
    """What a step did; all that files of carl-core hold, so that they can be read, its platform's own included."""

    USER_INPUT = "user_input"
    TOOL_CALL = "tool_call"
    LLM_REPLY = "llm_reply"
    CLI_CMD = "cli_cmd"
    GATE = "gate"
    GATE_CHECK = "gate_check"
    EXTERNAL = "external"
    PAYMENT = "payment"
    TRAINING_STEP = "training_step"
    EVAL_PHASE = "eval_phase"
    REWARD = "reward"
    CHECKPOINT = "checkpoint"
    MEMORY_READ = "memory_read"
    MEMORY_WRITE = "memory_write"
    HEARTBEAT_CYCLE = "heartbeat_cycle"
    STICKY_NOTE = "sticky_note"
    SECRET_MINT = "secret_mint"
    SECRET_RESOLVE = "secret_resolve"
    SECRET_REVOKE = "secret_revoke"
    CLIPBOARD_WRITE = "clipboard_write"
    DATA_OPEN = "data_open"
    DATA_READ = "data_read"
    DATA_TRANSFORM = "data_transform"
    DATA_PUBLISH = "data_publish"
    RESOURCE_OPEN = "resource_open"
    RESOURCE_ACT = "resource_act"
    RESOURCE_CLOSE = "resource_close"


PROBED = frozenset(
    {ActionType.LLM_REPLY, ActionType.TOOL_CALL, ActionType.TRAINING_STEP, ActionType.EVAL_PHASE, ActionType.REWARD},
)
"""Kinds whose coherence a registered probe is asked for."""
