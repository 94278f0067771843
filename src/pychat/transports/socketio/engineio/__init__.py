"""Engine.IO, which carries Socket.IO: handshakes, polling, WebSockets and heartbeats."""
