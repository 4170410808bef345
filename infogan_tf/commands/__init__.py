"""What the command line can be asked to do, a file for each --mode."""
