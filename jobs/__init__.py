"""What happens by itself: each job is one verb that does some and says how much."""
