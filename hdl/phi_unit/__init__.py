"""The phi unit: entropy of token distributions, in integers."""
