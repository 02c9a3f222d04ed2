"""The board controller: shows strips of pixels in windows, scrolls them by itself, says what it shows."""
