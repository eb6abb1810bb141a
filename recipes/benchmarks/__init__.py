"""Benchmarks against an outside implementation, of data sets, and of scaling."""
