"""What a core takes of its device: counts and logic levels by Yosys, held to a plan and to a budget."""
