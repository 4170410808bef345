"""The options of a run, and the flags that they are on the command line."""
