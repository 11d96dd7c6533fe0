"""dates: what a text says of the calendar and the clock."""

from ebmhw.verify.dates.domain import Dates

__all__ = ["Dates"]
