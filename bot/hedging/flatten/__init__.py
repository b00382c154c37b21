"""FLATTEN: the sleeve sold under a plan that a person has signed."""
