"""The amplifier controller: a Modbus RTU server with eight relays that let go when nobody renews them."""
