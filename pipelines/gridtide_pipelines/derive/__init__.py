"""Carbon intensity and the carbon-free share from the generation mix."""
