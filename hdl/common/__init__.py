"""What units share: AXI, registers, random streams, memories that are read ahead."""
