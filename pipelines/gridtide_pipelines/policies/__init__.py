"""Ways to time jobs, tried on the past: what `gridtide simulate` compares."""
