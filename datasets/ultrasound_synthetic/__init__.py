"""Synthetic ultrasound A-scans with known parameters."""
