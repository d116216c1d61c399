"""Energy and emissions of what has run, software carbon intensity, clean-energy matching."""
