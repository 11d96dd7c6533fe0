"""The bench of constraint programs, on a small file of the same form."""

from __future__ import annotations

import json
from pathlib import Path

from ebmhw.bench import deduction
from ebmhw.bench.harness import run_cases

HEAD = "Domain:\n1: leftmost\n3: rightmost\nVariables:\n" + "".join(f"{name} [IN] [1, 2, 3]\n" for name in ("owl", "jay", "hen")) + "Constraints:\n"
TAIL = (
    "AllDifferentConstraint([owl, jay, hen]) ::: All differ.\nQuery:\n"
    "A) owl == 3 ::: The owl is the rightmost.\nB) jay == 3 ::: The jay is the rightmost.\nC) hen == 3 ::: The hen is the rightmost.\n"
)
RIGHT = "owl < jay ::: The owl is to the left of the jay.\njay < hen ::: The jay is to the left of the hen.\n"


def rows(*programs: str) -> list[dict[str, object]]:
    # The puzzle lists its options in another order than the programs.
    options = ["A) The hen is the rightmost.", "B) The owl is the rightmost.", "C) The jay is the rightmost."]
    return [{"options": options, "answer": "A", "raw_logic_programs": [HEAD + program + TAIL]} for program in programs]


def test_figures_of_both_halves(tmp_path: Path) -> None:
    turned = RIGHT.replace("jay < hen", "hen < owl").replace("owl < jay", "jay < owl")
    clash = RIGHT.replace("jay < hen", "jay > 3")
    (tmp_path / "logical_deduction_x.json").write_text(json.dumps(rows(RIGHT, clash, turned, "owl <\n")), encoding="utf-8")
    puzzles = deduction.load(tmp_path)
    assert len(puzzles) == 4
    found = deduction.repaired(puzzles, True, deduction._backend())
    assert found.classes == {"wrong": 1, "right": 1, "unsatisfiable": 1, "unreadable": 1}
    assert found.repairs == {("repaired", True): 1} and found.by_letter == 0
    assert len(found.spins) == 1 and found.spins[0] > 9
    cases = deduction.cases(tmp_path, quick=False)
    kinds = ("consistent and right", "repaired alone", "repaired with their words")
    assert [case.name for case in cases] == [f"deduction/{half} programs {kind}" for half in ("even", "odd") for kind in kinds]
    results = {result.case.name: result for result in run_cases(cases, 1)}
    assert all(result.error is None for result in results.values())
    assert results["deduction/odd programs repaired with their words"].ours.values.values == [100.0]
    assert results["deduction/even programs consistent and right"].ours.values.values == [50.0]


def test_there_are_no_cases_without_the_file(tmp_path: Path) -> None:
    assert deduction.cases(tmp_path, quick=False) == [] and deduction.cases(None, quick=True) == [] and deduction.load(None) == []
