"""What is fast, and how we know: each figure as a ratio against something in the same run."""
