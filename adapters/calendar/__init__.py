"""Scheduled releases read from files: the project's own dated table and calendar files that an operator supplies."""
