"""What pretends: line, devices, network, source and the story of the simulated ward."""
