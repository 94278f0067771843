"""The protocol, which is the same on every transport: names, fields, encoding and decoding."""
