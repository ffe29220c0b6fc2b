"""The HTTP door: ingest, queries, health, metrics. It holds no state and decides nothing."""
