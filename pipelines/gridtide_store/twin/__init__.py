"""The SDK's planners over many zones, starts and windows at once, in numpy.

Each module answers as the pure planner of the same name does (`gridtide.windows`,
`gridtide.planning`), which is the definition; tests/twin compares the two. Values count in
whole steps of 1e-9, as in `gridtide.runs`, so that sums are exact and a tie is a tie in both.
"""
