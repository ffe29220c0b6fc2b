"""The command line: one file per command family; heavy imports only inside the command that needs them."""
