"""The chapters of the lab, in one file each; having the file is registering it."""
