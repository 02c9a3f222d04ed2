"""What is said between source, hub and controllers: pure code without I/O, clock or randomness."""
