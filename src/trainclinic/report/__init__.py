"""Turns diagnoses into words and pictures; computes nothing."""
