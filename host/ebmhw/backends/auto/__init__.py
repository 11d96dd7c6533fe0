"""auto: the CPU or a board, whichever is expected to have a run done first.

The way of a run, from module to module:

- `prospect` finds the board in the live device tree, without touching it; `backend` is given it by `ebmhw.backends.choice` and is the backend "auto".
- `cost` says what a run or a measurement asks of each side, in counts: rows, reads, bytes, cycles.
- `fit` turns counts into seconds, by coefficients that least squares finds for times which `trials` has measured.
- `calibration` keeps the coefficients in a file of the user's, and knows whether they still hold here.
- `chooser` compares the two sides for a run, and says why.
- `explanation` shows the same comparison to people (`ebmhw backends --explain`).

Nothing is imported here: where no board is, none of it is needed.
"""
