"""What the people who run the house see of it: logs, metrics and traces."""
