"""Title orders and what belongs to them."""
