"""The page, its assets, and the HTTP API."""
