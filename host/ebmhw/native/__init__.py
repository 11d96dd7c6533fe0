"""The CPU kernel in C, and its binding."""
