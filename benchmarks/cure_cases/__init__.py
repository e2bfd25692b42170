"""One training a remedy: the remedy of that name alone cures it."""
