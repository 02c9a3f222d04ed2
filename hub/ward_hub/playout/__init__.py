"""Playout owns the outputs: one airing at a time on amplifiers, boards and sound, and what came of it, measured."""
