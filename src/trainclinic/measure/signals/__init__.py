"""The catalogue of signals: one file each."""
