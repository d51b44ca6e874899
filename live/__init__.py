"""Seat status to every subscriber."""
