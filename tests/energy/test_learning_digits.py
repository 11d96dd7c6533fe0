"""The digits: their split, pictures, the command, and a short training that beats independent pixels."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ebmhw.energy.learning import LearningConfig, LearningState, Structure, annealed_importance, start
from ebmhw.energy.learning import digits as example
from ebmhw.energy.learning.baselines import BernoulliMixture
from ebmhw.energy.learning.digits_command import command
from ebmhw.energy.learning.pictures import sheet, text, write_png
from ebmhw.errors import InvalidModel

SHORT = LearningConfig(method="pcd", k=2, steps=100, batch=100, chains=100, learning_rate=0.1, final_learning_rate=0.01, averaged_steps=30)


def test_the_split_is_fixed_and_its_parts_are_apart() -> None:
    first, again = example.load(), example.load()
    np.testing.assert_array_equal(first.train, again.train)
    assert first.train.shape == (1437, 64) and first.held_out.shape == (360, 64)
    assert np.bincount(np.concatenate([first.train_labels, first.held_out_labels])).sum() == 1797
    assert np.bincount(first.held_out_labels).min() > 20
    # Some digits look alike after thresholding; no more of them are in both parts than chance makes.
    seen = {row.tobytes() for row in first.train}
    assert np.mean([row.tobytes() in seen for row in first.held_out]) < 0.05


def test_a_short_training_tells_more_of_digits_never_seen_than_independent_pixels_and_shuffled_ones_do_not() -> None:
    digits = example.load()
    structure, learned = example.train(digits, 8, SHORT, backend="cpu")
    machine = example.rounded_machine(structure, learned.parameters, SHORT.coupling_bits)
    drawn = example.samples(structure, learned, 100, 200, "cpu")
    found = example.measure(machine, digits, drawn, steps=600, chains=100)
    # Eight hidden spins: log Z is exact.
    exact = float(machine.log_weights(digits.held_out).mean()) - machine.log_partition()
    assert found.held_out == pytest.approx(exact, abs=0.05)
    alone = float(BernoulliMixture.fitted(digits.train).log_probabilities(digits.held_out).mean())
    assert exact > alone + 2
    rng = np.random.default_rng(0)
    shuffled = example.Digits(
        np.stack([rng.permutation(column) for column in digits.train.T], axis=1), digits.held_out, digits.train_labels, digits.held_out_labels
    )
    _, control = example.train(shuffled, 8, SHORT, backend="cpu")
    other = example.rounded_machine(structure, control.parameters, SHORT.coupling_bits)
    assert float(other.log_weights(digits.held_out).mean()) - other.log_partition() < alone + 0.5
    shares = example.label_shares(digits, drawn)
    assert shares.sum() == pytest.approx(1.0) and (shares > 0.01).sum() >= 6


def test_scikit_learns_machine_is_the_same_distribution_in_spins() -> None:
    digits = example.load()
    machine = example.scikit_learn_machine(digits, 6, rounds=2)
    from sklearn.neural_network import BernoulliRBM

    theirs = BernoulliRBM(n_components=6, learning_rate=0.005, batch_size=10, n_iter=2, random_state=0).fit((digits.train > 0).astype(np.float64))
    rows = digits.held_out[:50]
    free = theirs._free_energy((rows > 0).astype(np.float64))
    difference = machine.log_weights(rows) + free
    np.testing.assert_allclose(difference, difference[0], atol=1e-9)
    base = start(Structure(64), digits.train)
    assert annealed_importance(machine, 100, 500, 1, base).log_z == pytest.approx(machine.log_partition(), abs=0.1)


def test_a_sheet_holds_every_picture_in_its_place_and_a_png_comes_back(tmp_path: Path) -> None:
    rows = np.array([[1, -1, -1, 1, 1, 1], [-1, -1, -1, -1, -1, -1], [1, 1, 1, 1, 1, 1]])
    grey = sheet(rows, 3, 2, columns=2)
    assert grey.shape == (9, 7)
    assert grey[1:4, 1:3].tolist() == [[255, 0], [0, 255], [255, 255]]
    assert not grey[1:4, 4:6].any() and (grey[5:8, 1:3] == 255).all() and (grey[5:8, 4:6] == 96).all()
    file = tmp_path / "sheet.png"
    write_png(file, grey, zoom=2)
    content = file.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")) == (14, 18)
    start_ = content.index(b"IDAT") + 4
    length = int.from_bytes(content[start_ - 8 : start_ - 4], "big")
    lines = np.frombuffer(zlib.decompress(content[start_ : start_ + length]), dtype=np.uint8).reshape(18, 15)
    np.testing.assert_array_equal(lines[::2, 1::2], grey)
    assert text(rows, 3, 2) == "▀▄      ██\n▀▀      ▀▀"
    with pytest.raises(InvalidModel, match=r"pictures have shape \(3, 6\); give \(rows, 8\)"):
        sheet(rows, 4, 2)


def test_the_command_learns_keeps_its_state_and_carries_on_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example, "report", lambda digits, structure, learned, backend, say: example.samples(structure, learned, 32, 5, backend))
    monkeypatch.setattr("ebmhw.energy.learning.digits_command.report", example.report)
    state, png = tmp_path / "state.npz", tmp_path / "digits.png"
    arguments = ["--hidden", "4", "--steps", "3", "--backend", "cpu", "--checkpoint", str(state), "--png", str(png)]
    first = CliRunner().invoke(command, arguments)
    assert first.exit_code == 0, first.output
    assert "3 steps in" in first.output and png.exists()
    assert LearningState.load(state).done
    again = CliRunner().invoke(command, arguments)
    assert again.exit_code == 0 and "0 steps in" in again.output
    other = CliRunner().invoke(command, ["--hidden", "5", "--steps", "3", "--backend", "cpu", "--checkpoint", str(state)])
    assert other.exit_code == 2 and "learned from other data, or with another structure" in other.output
    wrong = CliRunner().invoke(command, ["--backend", "gpu"])
    assert wrong.exit_code == 2 and "there is no backend 'gpu'" in wrong.output
