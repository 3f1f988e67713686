"""What the papers prove, as pure functions of numbers and moments (float64, no torch)."""
