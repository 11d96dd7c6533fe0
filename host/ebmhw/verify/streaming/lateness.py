"""Lateness: what a report says of domains that did not end in time, in the words of whoever set the limit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ebmhw.errors import PipelineTimeoutError

if TYPE_CHECKING:
    from ebmhw.verify.report import Report


class Limit(NamedTuple):
    """A limit of time as its caller knows it.

    Attributes
    ----------
    said : what was not kept, such as "the budget of 2 s"
    remedy : what to do about it
    """

    said: str
    remedy: str


def retold(report: Report, limit: Limit) -> tuple[Report, str]:
    """Return the report with the failures of domains that were late in the words of the limit, and its reason, which tells of all of them once."""
    late = [failure.domain for failure in report.failures if failure.code == PipelineTimeoutError.code]
    if not late:
        return report, report.reason
    text = f"it did not end within {limit.said}; {limit.remedy}"
    told = tuple(failure._replace(text=text) if failure.domain in late else failure for failure in report.failures)
    others = replace(report, failures=tuple(failure for failure in report.failures if failure.domain not in late))
    return replace(report, failures=told), f"{others.reason}; not done within {limit.said}: {', '.join(late)}; {limit.remedy}"
