"""The command line `wardhub`: one module for each command."""
