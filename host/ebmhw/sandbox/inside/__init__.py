"""inside: what runs in a confined process and beside it; standard library only, and small, since each start loads it.

The parent runs ``boot.py`` by path in an interpreter of its own. That process (the monitor) forks once: its child confines itself and
runs the program; the monitor watches its clock, threads and scratch folder, and kills and reaps it.
"""
