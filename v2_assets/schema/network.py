"""Network: who sponsors whom, each down-line, and how it changed."""
