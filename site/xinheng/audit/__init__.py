"""Who saw, changed and took away what: an append-only record in which a changed row shows."""
