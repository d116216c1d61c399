"""From publishers to the store: request, fetch, parse, normalize, store."""
