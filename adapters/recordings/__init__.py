"""Recordings of market data in Parquet files: written while they happen, read back row group by row group."""
