"""Predictions that wait for their labels, and what is said of them meanwhile."""
