"""The store of record and its published snapshots."""
