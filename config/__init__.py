"""Settings: TOML files to validated, frozen sections."""
