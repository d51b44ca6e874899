"""The houses that the demo sells: a theatre, an arena and a club, drawn the same every time."""
