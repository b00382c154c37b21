"""The composition root: the only package that knows every other; a module for each thing that can be run."""
