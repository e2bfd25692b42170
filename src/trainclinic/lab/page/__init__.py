"""The page: the lab in the browser, by NiceGUI; nothing outside this folder knows of it."""
