"""Our own routes, one module a resource; each has ``routes(service)``."""
