"""What travels, the same on every wire: names, fields, and how they are encoded and decoded."""
