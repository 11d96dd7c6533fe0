"""The dispersion experiment: does a number tell a real model's logits from uniform, random, peaked and collapsed ones?

python -m ebmhw.bench.dispersion [--plot PNG] [--seed N] [--traces N] [--no-model]
"""
