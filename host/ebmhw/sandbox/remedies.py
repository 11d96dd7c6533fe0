"""What to do where a guard is missing."""

from __future__ import annotations

REMEDIES = {
    "landlock": "it takes Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK and landlock among the modules of the boot parameter lsm=; in a "
    "container its seccomp profile must allow landlock_create_ruleset, landlock_add_rule and landlock_restrict_self (Docker since 20.10.10 does)",
    "seccomp": "it takes CONFIG_SECCOMP_FILTER, on x86-64 or aarch64; in a container the profile must allow prctl(PR_SET_SECCOMP)",
    "rlimits": "raise the hard limits of the shell or the container (ulimit -H) to at least those that are asked for",
    "capabilities": "in a container the seccomp profile must allow capset",
    "system": "run this in Linux: a virtual machine, a container, or WSL 2",
    "interpreter": "sys.executable must name the Python that runs here; a program that embeds Python has to set it",
}
"""What helps, by the name of the guard."""


def remedy(problem: str) -> str:
    """Return what helps against a problem whose text starts with the guard's name and a colon."""
    return REMEDIES.get(problem.partition(":")[0], "see the table of guards in ebmhw/sandbox/README.md")
