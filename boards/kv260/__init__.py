"""The KV260: bitstream, firmware package and deployment."""
