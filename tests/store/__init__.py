"""Tests of what survives."""
