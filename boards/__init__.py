"""What makes and installs the designs of the boards; run from a checkout."""
