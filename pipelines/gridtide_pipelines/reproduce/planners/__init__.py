"""The SDK's planners over many zones, starts and windows at once, in numpy.

Each module names the pure planner that defines its results; tests/twin compares the two.
Values count in whole steps of 1e-9, as in `gridtide.slots`, wherever an
answer is a start, so that sums are exact and a tie is a tie in both.
"""
