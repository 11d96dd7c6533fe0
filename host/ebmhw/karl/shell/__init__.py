"""Shell lines: the commands they hold, what these run, and what test runners print; see `ebmhw.karl.commands`."""
