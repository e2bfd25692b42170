"""Cases: for each problem `faulty(seed)` and `healthy(seed)`, two Setups one line apart, on real data."""
