"""Playout owns the outputs: it puts one airing at a time on amplifiers, boards and sound, and measures what came of it."""
