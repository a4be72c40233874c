"""Documents that are only compared: where they are read, the files they are made of, and the lines of their values."""
