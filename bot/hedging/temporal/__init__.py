"""Pure: what the passing of time costs the sleeve, and when a lot is rolled, stopped or harvested (M7)."""
