"""The data of a chat room and its rules, without an event loop, a clock, randomness or I/O."""
