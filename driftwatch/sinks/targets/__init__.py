"""One file per kind of target: it says which request an event becomes."""
