"""`python -m ebmhw`: the command line."""

from ebmhw.cli.main import main

main(prog_name="ebmhw")
