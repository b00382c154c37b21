"""The asyncio shell: tasks around the engine, each with one duty; receives ports, knows no adapter."""
