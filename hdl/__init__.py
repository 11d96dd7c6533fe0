"""The hardware description. It shares `ebmhw.contract` with the host and imports nothing else of it."""
