"""What a plan is asked for: job, bounds, objective, regions, forecast and job state."""
