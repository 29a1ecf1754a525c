"""Home, content pages, favourites, and what machines ask a site for."""
