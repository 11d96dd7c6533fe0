"""config: files of options, every key checked."""
