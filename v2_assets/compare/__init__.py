"""V1 beside V2: the comparison, and the reason of each difference. No Dagster below `assets`."""
