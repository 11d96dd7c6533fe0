"""What units share: AXI, registers, packets and their frames, random streams, memories that are read ahead."""
