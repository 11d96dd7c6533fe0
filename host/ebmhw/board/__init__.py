"""The KV260: what its design looks like to software, the record of its bitstreams, and what is run on the board itself."""
