"""WebSocket and HTTP for every host; nothing about chat."""
