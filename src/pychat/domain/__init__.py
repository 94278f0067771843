"""What there is and what is allowed: no event loop, no clock, no chance, no I/O."""
