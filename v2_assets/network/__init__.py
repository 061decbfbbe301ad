"""Who sponsors whom, down-lines and how they change."""
