"""信衡: the site of a credit-management company."""
