"""One room at work: commands come in, events go out, and who is connected under which name."""
