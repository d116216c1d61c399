"""The planning problem: job, bounds, objective, regions, forecast and job state."""
