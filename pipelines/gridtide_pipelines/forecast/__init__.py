"""Forecast runs: models, prediction intervals, backtests."""
