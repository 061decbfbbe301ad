"""Deals: listings, transactions, who takes part and what is paid."""
