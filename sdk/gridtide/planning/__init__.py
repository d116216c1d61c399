"""Plans for real jobs: unbroken, pausing, in pieces or elastic; over time and places. Pure."""
