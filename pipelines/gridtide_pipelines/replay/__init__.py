"""A publisher on this machine: recorded or simulated responses, and faults on demand."""
