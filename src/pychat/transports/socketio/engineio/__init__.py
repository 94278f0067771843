"""Engine.IO, the layer below Socket.IO: handshakes, polling, WebSockets and heartbeats."""
