"""Watching a run: what is attached, when it samples, how it lets go."""
