"""Page: the records of a batch as one HTML file that needs nothing else."""
