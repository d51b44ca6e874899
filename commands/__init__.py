"""Commands of `rowlock` by their nouns."""
