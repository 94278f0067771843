"""The commands that are clients of a server: their options and help. What they do is imported when they run."""
