"""Synthesis of A-scans with known onsets, of random bursts and of described transducers."""
