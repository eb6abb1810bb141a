"""Classical picking of the time of flight, and the bounds that no picker beats."""
