"""Many jobs at once under capacity limits."""
