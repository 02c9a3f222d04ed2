"""Behaviour of device families."""
