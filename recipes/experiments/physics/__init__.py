"""Physics or interpolation: impossible bursts, filled in by the autoencoder and by interpolation."""
