"""How much may wait for clients that do not read: each rule is one file, used on every transport."""
