"""Batched reads: one generic mechanism, then one typed line for each load."""
