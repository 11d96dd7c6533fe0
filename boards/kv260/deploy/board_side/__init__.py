"""What a deploy runs on the board: modules that `boards.kv260.deploy.bundle` sends there, for Python 3.8 or newer and its standard library alone.

It reads requests from standard input, a line of JSON each, and answers on standard output, a line each after the session's token; whatever else is
printed there is not ours. One process holds the lock, the staging folders and the journal from "begin" to "commit". Where its input ends before the
commit, whether the host closes it because a step failed or the connection is lost, where nothing is asked for long, or where a signal comes, it
brings back what was there; its last answer says so. Where the process itself dies, the next "begin" finds the journal and does it.
"""
