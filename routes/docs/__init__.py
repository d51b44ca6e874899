"""The documentation that the server shows: a reference made from the schema, the guides, the plain routes."""
