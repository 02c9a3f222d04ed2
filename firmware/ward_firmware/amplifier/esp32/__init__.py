"""The amplifier controller on an ESP32."""
