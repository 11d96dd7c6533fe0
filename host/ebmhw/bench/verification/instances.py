"""Instances: the kinds, and what makes an instance of each."""

from __future__ import annotations

from ebmhw.bench.verification.arithmetic import (
    a_chain,
    a_comparison,
    a_conversion,
    a_decimal,
    a_difference,
    a_divisibility,
    a_fraction,
    a_grouped,
    a_long_sum,
    a_mixed_length,
    a_parity,
    a_percentage,
    a_power,
    a_precedence,
    a_price,
    a_prime,
    a_product,
    a_quotient,
    a_remainder,
    a_sum,
    a_worded,
)
from ebmhw.bench.verification.dates import (
    a_date_difference,
    a_date_order,
    a_date_shift,
    a_day_that_exists,
    a_duration,
    a_leap_year,
    a_month_length,
    a_weekday,
)
from ebmhw.bench.verification.instance import Make
from ebmhw.bench.verification.logic import a_contradiction, a_syllogism, an_implication, an_order
from ebmhw.bench.verification.prose import a_distraction, a_shopping, a_story

MAKES: dict[str, Make] = {
    "sum": a_sum, "difference": a_difference, "product": a_product, "quotient": a_quotient, "decimals": a_decimal, "fractions": a_fraction,
    "powers": a_power, "parentheses": a_grouped, "precedence": a_precedence, "long sums": a_long_sum, "remainders": a_remainder,
    "percentages": a_percentage, "conversions": a_conversion, "mixed units": a_mixed_length, "money": a_price, "number words": a_worded,
    "chains": a_chain, "comparisons": a_comparison, "primes": a_prime, "parity": a_parity, "divisibility": a_divisibility,
    "weekdays": a_weekday, "days that exist": a_day_that_exists, "leap years": a_leap_year, "month lengths": a_month_length,
    "date order": a_date_order,
    "date differences": a_date_difference, "date shifts": a_date_shift, "durations": a_duration,
    "implications": an_implication, "contradictions": a_contradiction, "syllogisms": a_syllogism, "orders": an_order,
    "stories": a_story, "shopping": a_shopping, "distractors": a_distraction,
}  # fmt: skip
