"""The way in by hand: a bundle of statements and recordings on a stick, in one file of a fixed name.

`container` is the file's form, `stick` reads one that anybody may have made, `importer` has each item judged by
itself, `watch` does so when a stick appears. docs/protocol.md has the form, docs/operations.md the way to use it.
"""
