"""From columns of values to a Batch: the columnar event form and tables share this door."""
