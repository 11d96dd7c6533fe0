"""Slitherlink: ground states against a search of all sets of segments, cuts, texts right and wrong, 5 x 5 to 7 x 7 on the CPU."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from puzzle_search import Cell, Segment, loops, one_loop
from puzzle_states import agree, ground_states

from ebmhw.backends import get_backend
from ebmhw.errors import InvalidModel
from ebmhw.problems.cuts import find_with_cuts
from ebmhw.problems.puzzles import Slitherlink

# Made for these tests from random loops; each has one solution.
FIVE = ("..2..\n..201\n.0...\n.1..1\n...22", 25)
SIX = ("......\n..2..2\n1.32.2\n..2.31\n...0..\n11....", 36)
SEVEN = ("..3221.\n10.....\n.0.1..2\n.....11\n..0..2.\n.3...0.\n.1.....", 49)


def sides(r: int, c: int) -> list[Segment]:
    return [((r, c), (r, c + 1)), ((r + 1, c), (r + 1, c + 1)), ((r, c), (r + 1, c)), ((r, c + 1), (r + 1, c + 1))]


def solutions(clues: list[list[int]]) -> set[tuple[Segment, ...]]:
    """Return all sets of loops that fit the clues."""
    height, width = len(clues), len(clues[0])

    def fits(vertex: Cell, held: set[Segment]) -> bool:
        # A face is known once the vertex at its lower right has its segments.
        r, c = vertex[0] - 1, vertex[1] - 1
        return r < 0 or c < 0 or clues[r][c] in (-1, sum(side in held for side in sides(r, c)))

    return set(loops(height, width, fits))


@st.composite
def boards(draw: st.DrawFn) -> list[list[int]]:
    height, width = draw(st.sampled_from([(1, 1), (1, 4), (2, 2), (3, 3), (3, 4), (4, 3)]))
    inside = draw(st.lists(st.lists(st.booleans(), min_size=width, max_size=width), min_size=height, max_size=height))

    def face(r: int, c: int) -> bool:
        return 0 <= r < height and 0 <= c < width and inside[r][c]

    clues = []
    for r in range(height):
        around = [sum(face(r, c) != face(q, d) for q, d in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1))) for c in range(width)]
        clues.append([clue if clue < 4 and draw(st.integers(0, 2)) else -1 for clue in around])
    if not any(clue > 0 for row in clues for clue in row):
        clues[draw(st.integers(0, height - 1))][draw(st.integers(0, width - 1))] = draw(st.integers(1, 3))
    return clues


@settings(max_examples=60)
@given(boards())
def test_ground_states_are_the_sets_of_loops_and_with_cuts_the_single_ones(clues: list[list[int]]) -> None:
    puzzle = Slitherlink(clues)
    every = solutions(clues)
    single = {loop for loop in every if one_loop(loop)}
    agree(puzzle, every)
    assert {loop for loop in every if puzzle.violated(loop) == ()} == single
    while True:
        several = [loop for loop in ground_states(puzzle) if loop not in single]
        if not several:
            break
        cuts = puzzle.missing_cuts(several[0])
        puzzle = puzzle.with_cuts(cuts[:1])
        # A cut takes this one away and no single loop.
        left = set(ground_states(puzzle))
        assert several[0] not in left and single <= left
    agree(puzzle, single)
    assert all(puzzle.missing_cuts(loop) == [] for loop in single)


def test_loops_inside_each_other_are_cut_too() -> None:
    puzzle = Slitherlink([[-1] * 5, [-1] * 5, [-1, -1, 3, -1, -1], [-1] * 5, [-1] * 5])
    ring = {(r, c) for r in range(5) for c in range(5)} - {(2, 2)}
    state = [1 if (r, c) in ring else -1 for r in range(5) for c in range(5)]
    nested = puzzle.decode(state)
    assert len(nested) == 24 and "the segments are not all one loop" in puzzle.violated(nested)
    (cut,) = puzzle.missing_cuts(nested)
    assert cut == (13, -8, -12, -14, -18)


def test_long_cuts_have_ancillas_that_encode_sets() -> None:
    puzzle = Slitherlink([[3] + [-1] * 9, *([-1] * 10 for _ in range(9))])
    # Face 1 and face 100 inside: then one of the sixth row, which parts them, is.
    cut = puzzle.with_cuts([(-1, -100, *range(51, 61))])
    assert cut.model.n == 101
    halves = [1 if r in (0, 1, 8, 9) else -1 for r in range(10) for _ in range(10)]
    loop = puzzle.decode(halves)
    assert cut.decode(cut.encode(loop)) == loop
    assert cut.model.energy(cut.encode(loop)) - puzzle.model.energy(puzzle.encode(loop)) * cut.unit / puzzle.unit == cut.unit


@pytest.mark.parametrize(("text", "spins"), [FIVE, SIX, SEVEN])
def test_boards_are_solved_on_the_cpu(text: str, spins: int) -> None:
    puzzle = Slitherlink.read(text)
    assert puzzle.model.n == spins
    found = find_with_cuts(puzzle, get_backend("cpu"), seed=1, sweeps=500)
    assert found.stopped_by == "solved" and found.solution is not None
    assert one_loop(found.solution)
    held = set(found.solution)
    for r, row in enumerate(puzzle.clues):
        for c, clue in enumerate(row):
            assert clue in (-1, sum(side in held for side in sides(r, c)))
    assert puzzle.violated(found.solution) == ()
    assert sum(puzzle.values(puzzle.encode(found.solution)).values()) == len(found.solution)


def test_the_picture_shows_the_loop() -> None:
    puzzle = Slitherlink.read("3.\n.3")
    assert puzzle.picture(puzzle.decode([1, -1, -1, -1])) == "+---+   +\n| 3 |\n+---+   +\n      3\n+   +   +"


def test_violated_names_clues_ends_and_loops() -> None:
    puzzle = Slitherlink.read("3.\n.3")
    assert puzzle.violated(()) == (
        "the 3 at row 1, column 1 has 0 segments",
        "the 3 at row 2, column 2 has 0 segments",
        "there is no loop",
    )
    assert puzzle.violated((((0, 0), (0, 1)), ((0, 0), (1, 0)), ((1, 0), (1, 1)))) == (
        "the 3 at row 2, column 2 has 0 segments",
        "1 segments meet at (0, 1)",
        "1 segments meet at (1, 1)",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the slitherlink is empty"),
        ("...\n...", "the slitherlink has no clue of 1 to 3, and no loop would keep its rules; give at least one"),
        ("12\n1", "row 2 of the slitherlink has 1 cells, row 1 has 2"),
        ("12\n14", "row 2, column 2 of the slitherlink is '4'; allowed are 0 to 3, . for a face without a clue"),
        ("1" * 33, "has 1 rows of 33 cells; a board has up to 32 of each"),
    ],
)
def test_texts_that_are_no_slitherlink_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        Slitherlink.read(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("clues", [5, [], [[]], [[4]], [[1], [1, 2]], [["1"]], [[1.0]]])
def test_boards_of_other_values_are_refused(clues: object) -> None:
    with pytest.raises(InvalidModel):
        Slitherlink(clues)  # type: ignore[arg-type]


@pytest.mark.parametrize("loop", [[((0, 0), (1, 1))], [((0, 0), (0, 9))], [5], [((0, 0),)], [(("a", 0), (0, 1))]])
def test_segments_that_are_none_are_refused(loop: object) -> None:
    with pytest.raises(InvalidModel):
        Slitherlink.read("3.\n.3").violated(loop)  # type: ignore[arg-type]


def test_an_open_path_has_no_state() -> None:
    with pytest.raises(InvalidModel, match="no union of closed loops"):
        Slitherlink.read("3.\n.3").encode((((0, 0), (0, 1)),))
