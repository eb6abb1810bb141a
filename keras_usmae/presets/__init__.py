"""Configurations of the named model sizes."""
