"""What a self-test looks at, a module a topic; `ebmhw.board.selftest` runs them."""
