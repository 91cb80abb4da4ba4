"""Two targets' answers compared, exchange by exchange. Sends nothing: exchanges come from below."""
