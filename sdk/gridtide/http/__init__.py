"""How requests travel to a service: proxies, deadlines, retries, response bodies."""
