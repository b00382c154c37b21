"""Its presence puts this folder on the import path, so that the builders in `floors` are found by name."""
