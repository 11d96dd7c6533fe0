"""`make deploy`: puts firmware onto a KV260 over ssh, loads it, tests it, and brings back what was there before where that fails."""
