"""Treat: remedies, and the surgery that puts them on a freshly built Setup."""
