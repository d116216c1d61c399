"""Exact planners for one region or several, one file per method, behind one `solve`."""
