"""HTTP/1.1 within limits, and what every response carries."""
