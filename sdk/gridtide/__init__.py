"""gridtide: when and where is the grid cleanest?"""
