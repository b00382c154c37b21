"""The bot: domain values, the synchronous core, and the asyncio shell around it."""
