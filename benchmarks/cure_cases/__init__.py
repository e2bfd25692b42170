"""Trainings that one remedy alone cures, a file for each."""
