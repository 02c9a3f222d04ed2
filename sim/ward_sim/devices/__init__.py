"""Simulated controllers: the real firmware under MicroPython, its pins wired to a model."""
