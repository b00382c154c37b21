"""The risk module: every order passes its gate."""
