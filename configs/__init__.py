"""The defaults of each data set, one file each: `get_config() -> Config`."""
