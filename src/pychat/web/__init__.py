"""What a browser asks for: the page, its assets, and the HTTP API."""
