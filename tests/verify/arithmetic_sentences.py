"""Sentences with numbers in common words: pairs that are right and wrong, and right ones of which a reader that guesses makes errors."""

# ruff: noqa: RUF001 - the signs that look like others are what is tested
from __future__ import annotations

PAIRS = r"""
subtract 22 from 55, which gives you 33 # subtract 22 from 55, which gives you 11
If you add 88 and 73, you get 161. # If you add 88 and 73, you get 162.
Taking 19 from 28 leaves 9. # Taking 19 from 28 leaves 8.
Adding 15 and 27 gives 42. # Adding 15 and 27 gives 43.
Adding 15 to 27 gives us 42. # Adding 15 to 27 gives us 44.
15 and 27 add up to 42. # 15 and 27 add up to 43.
15 and 27 sum to 42. # 15 and 27 sum to 41.
Thirteen and fifty-seven make seventy. # Thirteen and fifty-seven make eighty.
Together, 20 cm and 2 m make 220 cm. # Together, 20 cm and 2 m make 22 cm.
Multiply 6 by 7 and you get 42. # Multiply 6 by 7 and you get 48.
Multiplying 12 by 12 gives 144. # Multiplying 12 by 12 gives 124.
Dividing 84 by 7 gives 12. # Dividing 84 by 7 gives 14.
When you divide 84 by 7, you get 12. # When you divide 84 by 7, you get 11.
Take 4 from 9 and you get 5. # Take 4 from 9 and you get 6.
Subtracting 3 from 10 leaves 7. # Subtracting 3 from 10 leaves 8.
Adding 1/2 and 1/4 gives 3/4. # Adding 1/2 and 1/4 gives 2/6.
Adding $5 and $7 gives $12. # Adding $5 and $7 gives $13.
The remainder when 169 is divided by 16 is 9. # The remainder when 169 is divided by 16 is 8.
17 divided by 5 leaves a remainder of 2. # 17 divided by 5 leaves a remainder of 3.
17 divided by 5 has a remainder of 2. # 17 divided by 5 has a remainder of 1.
When 17 is divided by 5, the remainder is 2. # When 17 is divided by 5, the remainder is 4.
The remainder of 17 divided by 5 is 2. # The remainder of 17 divided by 5 is 3.
17 divided by 5 is 3 with a remainder of 2. # 17 divided by 5 is 3 with a remainder of 1.
17 / 5 = 3 remainder 2 # 17 / 5 = 3 remainder 3
17 ÷ 5 = 3 R 2 # 17 ÷ 5 = 3 R 1
17 mod 5 = 2 # 17 mod 5 = 3
7 tickets at $5.50 each cost $38.50. # 7 tickets at $5.50 each cost $39.50.
3 pens at $2 each cost $6. # 3 pens at $2 each cost $5.
The sum of 2/6 and 3/8 is 17/24. # The sum of 2/6 and 3/8 is 18/24.
The sum of 15 and 27 is 42. # The sum of 15 and 27 is 43.
The product of 6 and 7 is 42. # The product of 6 and 7 is 36.
The difference between 9 and 4 is 5. # The difference between 9 and 4 is 6.
The quotient of 20 and 5 is 4. # The quotient of 20 and 5 is 5.
The average of 2, 4, and 9 is 5. # The average of 2, 4, and 9 is 6.
The mean of 10, 20 and 30 is 20. # The mean of 10, 20 and 30 is 25.
The median of 1, 3 and 7 is 3. # The median of 1, 3 and 7 is 4.
The GCD of 12 and 18 is 6. # The GCD of 12 and 18 is 3.
The lcm of 4 and 6 is 12. # The lcm of 4 and 6 is 24.
The square root of 144 is 12. # The square root of 144 is 14.
The cube of 3 is 27. # The cube of 3 is 9.
5 squared is 25. # 5 squared is 10.
2 to the power of 5 is 32. # 2 to the power of 5 is 25.
9 exceeds 4 by 5. # 9 exceeds 4 by 6.
10 is 5 more than 5. # 10 is 5 more than 4.
54 * 23 is equivalent to 1242. # 54 * 23 is equivalent to 1080.
35 * 69 is the same as 2415. # 35 * 69 is the same as 2515.
one half plus one quarter is three quarters # one half plus one quarter is two quarters
Two thirds is more than one half. # One half is more than two thirds.
seven times eight is fifty-six # seven times eight is fifty-four
twenty-one divided by three is seven # twenty-one divided by three is six
one hundred and five minus five is one hundred # one hundred and five minus five is ninety
ten percent of two hundred is twenty # ten percent of two hundred is ten
half of 50 is 25 # half of 50 is 20
a quarter of 100 is 25 # a quarter of 100 is 20
three quarters of 20 is 15 # three quarters of 20 is 16
twice 21 is 42 # twice 21 is 44
50% off $30 = $15 # 50% off $30 = $16
20% off $80 is $64 # 20% off $80 is $60
20% of $80 is $16. # 20% of $80 is $18.
30 is 20% of 150. # 30 is 30% of 150.
150 increased by 20% is 180. # 150 increased by 20% is 170.
200 decreased by 15% is 170. # 200 decreased by 15% is 185.
100 + 10% = 110 # 100 + 10% = 111
3/4 = 75% # 3/4 = 80%
2 m 30 cm + 50 cm = 2 m 80 cm # 2 m 30 cm + 50 cm = 2 m 90 cm
5 feet 11 inches = 71 inches # 5 feet 11 inches = 61 inches
1 h 30 min + 45 min = 2 h 15 min # 1 h 30 min + 45 min = 2 h 35 min
1 m + 50 cm = 150 cm # 1 m + 50 cm = 51 cm
2 km - 500 m = 1.5 km # 2 km - 500 m = 1.6 km
2 hours and 30 minutes = 150 minutes # 2 hours and 30 minutes = 130 minutes
5 kg + 300 g = 5.3 kg # 5 kg + 300 g = 5.2 kg
5 km = 5,000 m # 5 km = 500 m
3 weeks = 21 days # 3 weeks = 20 days
90 minutes = 1.5 hours # 90 minutes = 2.5 hours
50 cents + 75 cents = $1.25 # 50 cents + 75 cents = $1.50
60 km / 2 hours = 30 km/h # 60 km / 2 hours = 40 km/h
4 m × 5 m = 20 m² # 4 m × 5 m = 25 m²
(3 m)² = 9 m² # (3 m)² = 8 m²
70 kg / (1.75 m)² = 22.9 kg/m² # 70 kg / (1.75 m)² = 25.9 kg/m²
100 °C = 212 °F # 100 °C = 200 °F
$\sqrt{50} = 5\sqrt{2}$ # $\sqrt{50} = 4\sqrt{2}$
√12 = 2√3 # √12 = 3√2
2√3 ≈ 3.46 # 2√3 ≈ 4.46
\sqrt[3]{27} = 3 # \sqrt[3]{27} = 4
$1\frac{1}{2} + \frac{1}{2} = 2$ # $1\frac{1}{2} + \frac{1}{2} = 3$
$\frac12 + \frac12 = 1$ # $\frac12 + \frac12 = 2$
$\frac{1}{2} + \frac{1}{3} = \frac{5}{6}$ # $\frac{1}{2} + \frac{1}{3} = \frac{2}{5}$
$2 \text{ m} + 30 \text{ cm} = 230 \text{ cm}$ # $2 \text{ m} + 30 \text{ cm} = 240 \text{ cm}$
\(7 \times 8 = 56\) # \(7 \times 8 = 54\)
\[16 - 3 - 4 = 9 \text{ eggs}\] # \[16 - 3 - 4 = 8 \text{ eggs}\]
3 x 4 = 12 # 3 x 4 = 14
3 x -4 = -12 # 3 x -4 = -7
12x12 = 144 # 12x12 = 124
(2 + 3) × 4 = 20 # (2 + 3) × 4 = 14
2(3 + 4) = 14 # 2(3 + 4) = 10
2^10 = 1024 # 2^10 = 1000
5! = 120 # 5! = 125
-3 + 5 = 2 # -3 + 5 = 8
0.1 + 0.2 = 0.3 # 0.1 + 0.2 = 0.4
1,234 + 5,678 = 6,912 # 1,234 + 5,678 = 6,812
10/3 ≈ 3.33 # 10/3 ≈ 3.53
1/3 + 1/6 = 1/2 # 1/3 + 1/6 = 2/9
48 + 24 = 72 clips altogether # 48 + 24 = 62 clips altogether
5 boxes × 12 pens per box = 60 pens # 5 boxes × 12 pens per box = 62 pens
91 is not prime. # 91 is prime.
17 is odd. # 17 is even.
144 is a perfect square. # 145 is a perfect square.
180 is divisible by 10. # 183 is divisible by 10.
12 is a multiple of 4. # 12 is a multiple of 5.
12 is greater than 7. # 7 is greater than 12.
9.11 < 9.9 # 9.11 > 9.9
-5 < -3 # -5 > -3
2 + 2 is not 5. # 2 + 2 is not 4.
2 + 2 ≠ 5 # 2 + 2 ≠ 4
15 + 27 = 42, so the total is known. # 15 + 27 = 43, so the total is known.
First, 6 × 7 = 42. # First, 6 × 7 = 43.
**Total** = 3 + 4 = **7** # **Total** = 3 + 4 = **8**
- Apples: 4 × $2 = $8 # - Apples: 4 × $2 = $9
Step 2: 15 + 2 = 17. # Step 2: 15 + 2 = 16.
She has 16 - 3 = <<16-3=13>>13 eggs # She has 16 - 3 = <<16-3=12>>12 eggs
Profit: $500 - $350 = $150 # Profit: $500 - $350 = $160
30% of 50 = 0.3 × 50 = 15 # 30% of 50 = 0.3 × 50 = 16
48 / 2 / 3 = 8 # 48 / 2 / 3 = 72
100 - 20 - 30 = 50 # 100 - 20 - 30 = 110
3 million = 3,000,000 # 3 million = 300,000 + 30,000
2.5 million + 500,000 = 3 million # 2.5 million + 500,000 = 4 million
seven plus eight equals fifteen # seven plus eight equals sixteen
nine minus four leaves five # nine minus four leaves six
eleven times eleven is one hundred twenty-one # eleven times eleven is one hundred eleven
forty divided by five equals eight # forty divided by five equals nine
12 * 11 comes to 132 # 12 * 11 comes to 122
12 * 11 works out to 132 # 12 * 11 works out to 121
6 × 9 makes 54 # 6 × 9 makes 56
6 + 9 yields 15 # 6 + 9 yields 16
6 added to 9 is 15 # 6 added to 9 is 16
6 subtracted from 9 is 3 # 6 subtracted from 9 is 4
81 over 9 is 9 # 81 over 9 is 8
the cube root of 27 is 3 # the cube root of 27 is 9
twelve squared is 144 # twelve squared is 124
the square of 15 is 225 # the square of 15 is 215
three cubed is 27 # three cubed is 9
double 17 is 34 # double 17 is 36
one third of 90 is 30 # one third of 90 is 45
the largest of 3, 9 and 4 is 9 # the largest of 3, 9 and 4 is 4
"""
"""Right and wrong, parted by " # "."""

ASKED = """
Work out 13 × 47. # So the result is 611. # So the result is 612.
Work out 13 × 47. # The answer to this classic math problem is 611. # The answer to this classic math problem is 612.
Work out 13 × 47. # The answer to this question is 611. # The answer to this question is 601.
Work out 13 × 47. # The final answer is 611. # The final answer is 600.
What is 17 + 25? # **Answer:** 42 # **Answer:** 43
What is 17 + 25? # Final answer: **42** # Final answer: **43**
Add thirteen and fifty-seven. # Thirteen and fifty-seven make seventy. # Thirteen and fifty-seven make eighty.
What is the remainder when 169 is divided by 16? # The remainder is 9. # The answer is 8.
What is the remainder when 169 is divided by 16? # 9 # 8
What percent of 50 is 10? # 20% # 25%
What is 23 × 172? # The result is 3956. # The result is 3856.
Is 91 prime? # No # Yes
"""
"""A question, a right and a wrong answer."""

NOT_WRONG = r"""
half the number is 1/2*20=10
Since 2/5 is equal to 12.8 hectares, then 1/5 is equal to 12.8/2 = 6.4 hectares.
25 classmates + his 1 teacher + 1 himself = <<25+1+1=27>>27 people. 27 people x 2 cupcakes each = <<27*2=54>>54 cupcakes. A: 54
Many people think 7 × 8 = 54, but it is 56.
You might guess 7 × 8 = 54. That is wrong; 7 × 8 = 56.
Let's check whether 13 × 7 = 90. 13 × 7 = 91, so no.
Is 2 + 2 = 5? No, 2 + 2 = 4.
The statement 2 + 2 = 5 is false.
Incorrect: 1/2 + 1/3 = 2/5. Correct: 1/2 + 1/3 = 5/6.
You wrote 12 × 12 = 142, but 12 × 12 = 144.
The student wrote 12 × 12 = 142. This is incorrect.
12 × 12 = 142 is incorrect; the right value is 144.
I first got 12 × 12 = 142, but rechecking, 12 × 12 = 144.
Your calculation, 12 × 12 = 142, is off: 12 × 12 = 144.
"2 + 2 = 5" is a slogan in Orwell's 1984.
We can't have 3 + 4 = 8.
Then 1 = 2, a contradiction.
~~2 + 2 = 5~~ 2 + 2 = 4
3x - 7 = 11 → 3x = 18 → x = 6
5x - 2 = 13 when x = 3
2x - 5 > 3, so x > 4
2 x - 3 = 1
$2x - 3 = 1$
3x – 7 = 11
0.5x - 2 = 3
6 ÷ 2(1+2) = 1
6 ÷ 2(1+2) = 9
1 + 1 = 10 in binary
In binary: 1 + 1 = 10, 10 + 1 = 11, 11 + 1 = 100.
1 + 1 = 10 (base 2)
In base 8, 7 + 1 = 10.
In GF(2), 1 + 1 = 0.
In modular arithmetic mod 5, 3 + 4 = 2.
9 + 4 = 1 on a 12-hour clock
5 + 5 = 3 (mod 7)
13 = 1 mod 12
1 + 1 = 1 (Boolean OR)
0x10 = 16
a[0] = 1
"1" + "1" = "11"
"2" * 3 = "222"
In JavaScript, '1' + 1 = '11'.
3:1 odds = 25%
$5 \, \text{kg} \times 9.8 \, \text{m/s}^2 = 49 \, \text{N}$
3 dimes + 2 nickels = 30 + 10 = 40 cents
4 people × 3 slices = 12 slices = 1.5 pizzas
1 cm = 5 km on the map; 4 cm = 20 km
150/500 = 0.3 × 100 = 30%
5 + 3 = 8 × 2 = 16 ÷ 4 = 4 (running total)
1.000 + 500 = 1.500
2.000 € + 500 € = 2.500 €
1_000 + 500 = 1_500
$1\,000 + 500 = 1\,500$
1 × 2 × 3 × ... × 5 = 120
\binom{10}{2} = \frac{10 \cdot 9}{2} = 45
3×10^8 / 6×10^14 = 5×10^-7
100 MB / 10 Mbps = 80 s
1 cup = 240 mL = 16 tbsp
1 ounce is 28 grams.
Rows 1-5 = 5 rows; columns 2–4 = 3 columns
pp. 12-15 = 4 pages
The range 2-10 = 8 values apart
Weekdays 9-5 = 8 hours
2x4 = 1.5 × 3.5 inches
Python 3.10 is newer than 3.9, that is 3.10 > 3.9.
Neither 4 nor 6 is prime.
1.500 + 1 = 1.501
1, 2 and 3 make 6
adding 2 and 3 to 4 gives 9
multiplying 5 by 3 and adding 2 gives 17
Adding 5 to both sides gives 20
7 + 8 mod 12 = 3
0.1(6) = 1/6
P(X=2) = C(4,2) × 0.5^4 = 6/16 = 0.375
The equation 5 + 3 = 9 does not hold.
5 + 3 = 9 isn't true.
It's not the case that 5 + 3 = 9.
5 + 3 = 9 should be 5 + 3 = 8.
Replace 5 + 3 = 9 with 5 + 3 = 8.
Original: 5 + 3 = 9. Corrected: 5 + 3 = 8.
Nobody would say 5 + 3 = 9.
(A) 2 + 2 = 3 (B) 2 + 2 = 4 (C) 2 + 2 = 5. The answer is (B).
Options: 7 × 8 = 54, 7 × 8 = 56
"""
"""Right, or nothing that arithmetic can decide."""

NOT_RIGHT = """
2 + 2 = 4 is false.
It is not true that 2 + 2 = 4.
12 × 12 = 144 is wrong; the right value is 142.
3 m × 4 m = 12 m
12 m² / 4 m = 3 m²
60 mph × 2 hours = 120 mph
5 kg + 3 m = 8
50% = 50
0.5% = 0.5
$80 - 20% = $60
2/3 = 0.6
3.7 ≈ 3
22/7 ≈ 3.15
√50 ≈ 8
12 is divisible by 2, 3, 5
"""
"""Wrong, or said loosely: never VERIFIED."""

NO_ANSWER = """
19 * 81 = 19 * 81
81 * 19 = 19 * 81
19 * 81 is the same as 19 * 81.
The answer is not 1539.
The answer is more than 1539.
The answer is 1539 less 1.
The answer is 1539 in base 16
The answer is 1539%.
19 * 81 = 1539? No, it is 1540.
The answer is about 1500.
"""
"""What leaves "What is 19 * 81?" open."""


def lines(table: str) -> list[str]:
    """Return the sentences of a table."""
    return table.strip().split("\n")
