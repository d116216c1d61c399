"""Published results computed again: what `gridtide reproduce` prints and draws."""
