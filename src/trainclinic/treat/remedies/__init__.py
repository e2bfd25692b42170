"""One remedy a file; having the file is registering it."""
