"""Codecs that run unchanged in CPython and in MicroPython: what hub and controllers say on serial lines.

Only what both interpreters have is used here: no typing, enum, dataclasses, match or `__future__` at run
time. Import the module that is needed; this file stays empty so that a controller loads nothing unused.
"""
