"""What decides: the agent of one ward."""
