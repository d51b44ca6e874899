"""Who you are: passwords, tokens, and what a viewer may do."""
