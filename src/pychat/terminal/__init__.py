"""A room in a terminal and in pipes: what `pychat join`, `pychat tail` and `pychat post` do."""
