"""One publisher a file."""
