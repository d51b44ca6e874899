"""Content negotiation (RFC 9110, section 12.5): the media type of an answer, and whether it is compressed."""

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"
OFFERED = (JSON, GRAPHQL_RESPONSE, EVENT_STREAM)
RANGES_MAX = 32


def accepted_type(accept: str | None) -> str | None:
    """Return the media type that a client likes best, or None when it takes neither.

    A client that names nothing gets JSON, as those do that are older than the other type.
    """
    if not accept:
        return JSON
    likings = [(*_liking(accept, media_type), media_type) for media_type in OFFERED]
    quality, _, best = max(likings, key=lambda liking: liking[:2])
    return best if quality > 0 else None


def wants_page(accept: str | None) -> bool:
    """Say whether a browser asks for a page: it names HTML."""
    return "text/html" in (accept or "")


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Say whether a client takes gzip: by its name, or by `*` when it is not named."""
    weights = {}
    for part in (accept_encoding or "").split(",")[:RANGES_MAX]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights[name] = _weight(parameters)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _liking(accept: str, media_type: str) -> tuple[float, int]:
    """How much a client likes a type, by the most specific range that names it; then how early it does."""
    main = media_type.partition("/")[0]
    specificity = {media_type: 2, f"{main}/*": 1, "*/*": 0}
    found = (-1, 0.0, 0)
    for place, part in enumerate(accept.split(",")[:RANGES_MAX]):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if specificity.get(name, -1) > found[0]:
            found = (specificity[name], _weight(parameters), place)
    return found[1], -found[2]


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return min(1.0, max(0.0, float(parameter[2:])))
            except ValueError:
                return 0.0
    return 1.0
