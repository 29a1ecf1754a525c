"""Members of staff: who they are, what they may do, how they prove it. Nothing here knows a page."""
