"""The board controller on an ESP32."""
