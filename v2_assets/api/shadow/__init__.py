"""Shadow reading: V1 answers, V2 is asked beside it, and what differs is counted and explained."""
