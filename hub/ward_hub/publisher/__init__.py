"""The publisher's side: trust documents made from what people write, checked before anybody signs them."""
