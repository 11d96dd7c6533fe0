"""Batch: verify every line of a file of questions and answers, on several processes, so that a killed run goes on where it stopped."""
