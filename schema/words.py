"""What a person types into a search field, as PostgreSQL's text search takes it."""

import re

WORDS_MAX = 10


def prefix_query(search: str) -> str:
    """Ask for every word, in any order, each by its beginning; nothing typed matches nothing."""
    words = re.findall(r"\w+", search)[:WORDS_MAX]
    return " & ".join(f"'{word}':*" for word in words)
