"""Generation from files of the user: read, checked, stored."""
