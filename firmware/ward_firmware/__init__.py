"""What runs on the controllers, under MicroPython."""
