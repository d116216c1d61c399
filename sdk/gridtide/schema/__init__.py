"""Requests and responses, each defined once as a dataclass: see `definition`.

From a definition follow decoding and encoding (`decode`, `encode`), the checks of an object
made in Python (`validate`) and the OpenAPI (`openapi`). The other modules define requests and
responses, or show results as text, HTML and frames.
"""
