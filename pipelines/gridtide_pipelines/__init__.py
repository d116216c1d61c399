"""From publishers to the store, and from the store to forecasts."""
