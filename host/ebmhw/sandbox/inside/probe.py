"""probe: an empty program, confined to see whether programs can be."""
