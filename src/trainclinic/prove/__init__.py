"""Prove: paired runs, the statistics of their differences, and the search for the smallest cure."""
