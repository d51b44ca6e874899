"""What leaves with the commit: the log of changed seats, from which every open map is told."""


def log_of(changed: str) -> str:
    """The statement that writes one log row for each row of `changed (event_id, index, version, status)`.

    It stands as a part of the statement that changes the seats, so that neither can be without the other.
    """
    return f"""INSERT INTO seat_changes (event_id, index, version, status)
               SELECT event_id, index, version, status FROM {changed}"""
