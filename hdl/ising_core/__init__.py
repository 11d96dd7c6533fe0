"""The Ising sampler."""
