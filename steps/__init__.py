"""What may happen: one file a verb, each a step inside a transaction."""
