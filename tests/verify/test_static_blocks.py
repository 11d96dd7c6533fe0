"""Which parts of a text are Python, and where they stand in it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from static_judging import judged

from ebmhw.verify import VerifyRepairPipeline
from ebmhw.verify.code.blocks import code_of

CODE = "def f(x):\n    return x\n"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (f"Here:\n```python\n{CODE}```\nDone.", [CODE]),
        (f"```py\n{CODE}```", [CODE]),
        (f"```Python3 title='a.py'\n{CODE}```", [CODE]),
        (f"~~~~{{.python .numbers}}\n{CODE}~~~~~", [CODE]),
        (f"````python\n{CODE}```\n````", [CODE + "```\n"]),
        (f"```\n{CODE}```", [CODE]),
        (f"```python\n{CODE}", [CODE]),
        (f"```python\n{CODE}~~~", [CODE + "~~~"]),
        (f"```python\r\n{CODE}```\r\n", [CODE]),
        ("1. Do this:\n   ```python\n   def f(x):\n       return x\n   ```\n2. So.", [CODE]),
        ("- ```python\n  def f(x):\n      return x\n  ```", [CODE]),
        ("> ```python\n> def f(x):\n>     return x\n> ```", [CODE]),
        ("```python\n    def f(x):\n        return x\n```", [CODE]),
        (f"```python\n{CODE}```\n```python\ny = 1\n```", [CODE, "y = 1\n"]),
        ("```\ndef f(x)\n    return x\n```", []),
        ("```\ndef f(x):\n  return (x\n```", ["def f(x):\n  return (x\n"]),
        ("```\nprint(3)\n```", ["print(3)\n"]),
        ("```python\n>>> f(3)\n3\n```", []),
        ("```\n$ pip install x\n```", []),
        ("```bash\necho 1\n```", []),
        ("```pycon\nx = 1\n```", []),
        ("```js\nlet x = 1\n```", []),
        ("```\n3 + 4\n```", []),
        ("```\nx = 3\n```", []),
        ("```json\n[1]\n```", []),
        ("```python\n```", []),
        ("```python\n\n```", []),
        ("use ```python x``` here", []),
        ("def f(x):\n    return x", []),
        ("", []),
        ("```", []),
    ],
)
def test_fences(text: str, codes: list[str]) -> None:
    assert [block.code for block in code_of(text, whole=False)] == codes


def test_a_response_that_is_code_is_one_block_unless_it_has_fences() -> None:
    assert [block.code for block in code_of(CODE, whole=True)] == [CODE]
    assert [block.code for block in code_of("no code", whole=True)] == ["no code"]
    assert [block.code for block in code_of(f"So:\n```python\n{CODE}```", whole=True)] == [CODE]
    documented = 'def f(x):\n    """Use it so:\n\n    ```python\n    f(3)\n    ```\n    """\n    return x\n'
    assert [block.code for block in code_of(documented, whole=True)] == [documented]
    assert code_of(" \n", whole=True) == []


lines = st.lists(
    st.sampled_from(
        ["```", "```python", "~~~", "  ```py", "> ```", ">", "x = 1", "    y", "- ", "def f():", "\f", "\x85", "\u2028z", "é = 'é'", "", "\t"]
    ),
    max_size=14,
)


@given(lines, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_every_character_of_a_block_is_that_of_the_text(parts: list[str], end: str, whole: bool) -> None:
    text = end.join(parts)
    before = 0
    for block in code_of(text, whole):
        assert before <= block.span[0] <= block.span[1] <= len(text)
        before = block.span[1]
        code = block.code.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for number, line in enumerate(code[: len(block.lines)], 1):
            assert text.startswith(line, block.place(number, 0))


@given(st.lists(st.sampled_from(["é", "x", "\N{SNAKE}", "日本", " "]), max_size=6).map("".join), st.sampled_from(["", "> ", "1. ", "\t"]))
def test_claims_point_at_their_words_in_the_response(words: str, before: str) -> None:
    response = f"{words}:\n{before}```python\n{before if before != '1. ' else '   '}s = '{words}'; print(nowhere, '{words}')\n"
    response += f"{before if before != '1. ' else '   '}def f():\n"
    response += f"{before if before != '1. ' else '   '}    return '{words}', missing\n"
    for claim in judged(response).claims:
        assert response[slice(*claim.span)] == claim.text
    named = {claim.text for claim in judged(response).claims if "is not defined" in claim.reason}
    assert named == {"nowhere", "missing"}


def test_time_is_linear() -> None:
    started = time.monotonic()
    for text in (
        "```\n" * 200_000,
        "> " * 400_000,
        " " * 800_000 + "```",
        "`" * 800_000,
        "```python\n" + "x\n" * 300_000,
        "- " * 300_000 + "```py\n",
    ):
        code_of(text, whole=False)
        code_of(text, whole=True)
    assert time.monotonic() - started < 60


def test_other_domains_do_not_read_code() -> None:
    response = "So:\n```python\ndef f():\n    # 2 + 2 = 5\n    return 3 + 4 == 8\n```\nAnd 2 + 2 = 4."
    report = VerifyRepairPipeline().verify("", response)
    assert [(claim.text, claim.verdict) for claim in report.claims if claim.domain == "arithmetic"] == [("2 + 2 = 4", "VERIFIED")]
    assert report.verdict == "UNKNOWN" and "was not run" in report.reason
