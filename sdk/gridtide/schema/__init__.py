"""Questions about plans as JSON, both ways: for the service, the command line and files.

Reading is strict: an unknown member is refused with the nearest name, and so is what is not of
its type. Lengths of time are in hours. Every object is one `shapes.Shape`, which also says its
JSON schema, so that what is read and what is described cannot differ.
"""
