"""Marks of chat templates, which in a text would end a turn or start another once a tokenizer reads them."""

from __future__ import annotations

import re

# <|im_end|>, <|eot_id|>, DeepSeek's with wide bars; Llama 2's, Mistral's and Gemma's.
_MARKS = re.compile(
    r"<[|\uff5c][^\s<>|\uff5c]{1,60}[|\uff5c]>|</?s>|\[/?(?:INST|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS)\]|<</?SYS>>"
    r"|<(?:start|end)_of_(?:turn|image)>|<(?:bos|eos|pad|unk|end_of_text)>"
)


def without_marks(text: str) -> str:
    """Return a text whose marks have a blank behind their first character: readable as before, and no token of its own to a tokenizer.

    A prompt may be anybody's; with marks in it, training would take what follows for another's turn.
    """
    return _MARKS.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
