"""What is attached to a hub: ports, drivers and product profiles."""
