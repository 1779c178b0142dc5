"""Pure statistics of the gate."""
