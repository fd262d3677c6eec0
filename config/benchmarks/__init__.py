"""Figures for docs/benchmarks.md: each a ratio against a baseline measured in the same run, never a timed test."""
