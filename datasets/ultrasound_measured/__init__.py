"""Measured A-scans with time-of-flight labels."""
