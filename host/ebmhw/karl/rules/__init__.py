"""rules: which skill and domain a session belongs to, by a user's own patterns and by events of other systems, and whether it went well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.karl.rules.events import Event, annotated, join
    from ebmhw.karl.rules.labels import Label, Rule, Rules, labelled
    from ebmhw.karl.rules.outcomes import Success, success

_HOMES = {
    "Event": "events",
    "Label": "labels",
    "Rule": "labels",
    "Rules": "labels",
    "Success": "outcomes",
    "annotated": "events",
    "join": "events",
    "labelled": "labels",
    "success": "outcomes",
}

__all__ = ["Event", "Label", "Rule", "Rules", "Success", "annotated", "join", "labelled", "success"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
