"""References of whole numbers."""

from __future__ import annotations

from ebmhw.verify.code.properties.reference import INT, NATURAL, PRIME, Reference, of

NUMBERS: tuple[Reference, ...] = (
    Reference(
        "greatest common divisor",
        r"(greatest|highest|largest) common (divisor|factor)|gcd",
        ("int", "int"),
        of("__import__('math').gcd(a, b)"),
        ("st.integers(1, 200)",) * 2,
    ),
    Reference("least common multiple", r"(least|lowest|smallest) common multiple|lcm", ("int", "int"), of("__import__('math').lcm(a, b)")),
    Reference(
        "Fibonacci number",
        r"n ?-?th fibonacci( number)?",
        INT,
        "    x, y = 0, 1\n    for _ in range(a): x, y = y, x + y\n    return x\n",
        ("st.integers(1, 20)",),
        examples=1,
    ),
    Reference("factorial", r"factorial", INT, of("__import__('math').factorial(a)"), ("st.integers(1, 12)",)),
    Reference("prime", r"(is )?(an? )?primes?( numbers?| or not)?", INT, of("prime(a)", PRIME), NATURAL),
    Reference(
        "largest prime factor",
        r"largest prime factor",
        INT,
        of("max(d for d in range(2, a + 1) if a % d == 0 and prime(d))", PRIME),
        ("st.integers(2, 300)",),
        "assume is not",
    ),
    Reference(
        "prime factors",
        r"(list of )?prime factors",
        INT,
        "    found, d = [], 2\n    while a > 1:\n        while a % d == 0: found.append(d); a //= d\n        d += 1\n    return found\n",
        ("st.integers(2, 300)",),
        "order from smallest largest",
        examples=1,
    ),
    Reference(
        "primes below",
        r"primes?( numbers?)? (less than|smaller than|below) n|prime numbers and less than n",
        INT,
        of("[d for d in range(2, a) if prime(d)]", PRIME),
        NATURAL,
        "first array",
    ),
    Reference("sum of digits", r"sum of (all )?(its |the )?digits", INT, of("sum(map(int, str(a)))"), NATURAL, "decimal"),
    Reference("number of digits", r"(number|count) of digits", INT, of("len(str(a))"), NATURAL),
    Reference("sum up to", r"sums? (of )?(all |the )*(numbers|integers) from 1 (up )?to n", INT, of("a * (a + 1) // 2"), NATURAL, "inclusive"),
    Reference(
        "largest proper divisor",
        r"largest number that divides n evenly smaller than n|largest proper divisor",
        INT,
        of("max(d for d in range(1, a) if a % d == 0)"),
        ("st.integers(2, 300)",),
    ),
    Reference("divisors", r"(all )?(positive )?divisors", INT, of("[d for d in range(1, a + 1) if a % d == 0]"), NATURAL, unordered=True),
    Reference(
        "number of divisors",
        r"(number|count) of (all )?(positive )?divisors|counts? (all )?divisors",
        INT,
        of("sum(a % d == 0 for d in range(1, a + 1))"),
        NATURAL,
    ),
    Reference(
        "number of primes below",
        r"(number|count) of primes?( numbers?)? (less than|smaller than|below) n",
        INT,
        of("sum(map(prime, range(a)))", PRIME),
        NATURAL,
    ),
    Reference("cube", r"cube of (a |given )?(number|integer|n|x)", INT, of("a ** 3"), ("st.integers(2, 200)",)),
    Reference("power of two", r"power of (two|2)", INT, of("a & (a - 1) == 0"), NATURAL),
    Reference("perfect square", r"perfect square", INT, of("__import__('math').isqrt(a) ** 2 == a"), NATURAL),
    Reference(
        "perfect cube",
        r"perfect cube|cube of some (integer|number|ingeger)",
        INT,
        of("any(n ** 3 == abs(a) for n in range(abs(a) + 1))"),
        ("st.integers(1, 200)",),
        "ingeger",
    ),
    Reference("even", r"even", INT, of("a % 2 == 0"), NATURAL, "number"),
    Reference("odd", r"odd", INT, of("a % 2 == 1"), NATURAL, "number"),
    Reference(
        "leap year",
        r"leap year",
        INT,
        of("a % 4 == 0 and (a % 100 != 0 or a % 400 == 0)"),
        ("st.one_of(st.integers(16, 24).map(lambda c: 100 * c), st.integers(1600, 2400))",),
    ),
    Reference("digits reversed", r"(reverse|reversed) digits|digits reversed", INT, of("int(str(a)[::-1])"), NATURAL),
    Reference(
        "binary text",
        r"(convert|converts|representation)( of)?( number)?( in| to| into)? binary|binary representation",
        INT,
        of("bin(a)[2:]"),
        NATURAL,
        "decimal format string",
        examples=1,
    ),
    Reference(
        "change of base",
        r"change numerical base",
        ("int", "int"),
        "    found = ''\n    while a: found, a = str(a % b) + found, a // b\n    return found\n",
        ("st.integers(1, 300)", "st.integers(2, 9)"),
        "string representation after conversion less than 10 numbers to",
    ),
    Reference(
        "modular power of two",
        r"2\^n modulo p",
        ("int", "int"),
        of("pow(2, a, b)"),
        ("st.integers(0, 40)", "st.integers(2, 40)"),
        "be aware of numerics",
    ),
    Reference(
        "Roman numeral",
        r"roman numeral( equivalent as string and return it in lowercase)?",
        INT,
        "    found = ''\n"
        "    for t, n in zip('m cm d cd c xc l xl x ix v iv i'.split(), (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)):\n"
        "        found, a = found + t * (a // n), a % n\n"
        "    return found\n",
        ("st.integers(1, 1000)",),
        "lowercase equivalent obtain",
        examples=1,
    ),
    Reference(
        "simple power", r"simple power", ("int", "int"), of("any(b ** n == a for n in range(12))"), ("st.integers(1, 60)", "st.integers(2, 9)")
    ),
    Reference("area of a triangle", r"area of (a )?triangle", ("number", "number"), of("a * b / 2"), ("", ""), "side length high height base"),
    Reference(
        "area of a triangle by its sides",
        r"area of (a )?triangle",
        ("number",) * 3,
        "    s = (a + b + c) / 2\n    return (s * (s - a) * (s - b) * (s - c)) ** 0.5\n",
        ("st.integers(5, 9)",) * 3,
        "side length three sides",
    ),
)
"""See `Reference`."""
