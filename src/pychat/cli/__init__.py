"""The command line: `pychat serve`, `join`, `post`, `tail` and `export`."""
