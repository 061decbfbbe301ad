"""Standing checks of every table, generated from the declarations: what must hold whatever ran last."""
