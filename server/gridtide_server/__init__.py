"""The REST service over a published snapshot."""
