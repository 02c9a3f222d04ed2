"""Registered numbers."""
