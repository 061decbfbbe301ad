"""The CRM domain: Follow Up Boss records as V2 tables. Selects in `.sql`, what is merged how in `units`."""
