"""Recipes, a file each: what a user runs, from pre-training to export."""
