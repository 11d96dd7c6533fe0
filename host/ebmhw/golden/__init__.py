"""The golden model: the contract's integers over an array namespace, read as close to its text as code can be.

`step` holds the one step function; a Python loop drives it for NumPy, `lax.scan` with vmapped chains for JAX. Everything else
(CPU kernel, RTL) is judged by it, so it shares constants with them and no code.
"""
