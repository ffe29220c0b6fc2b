"""`python -m driftwatch`, and the console script's entry."""

from driftwatch.cli.app import main

if __name__ == "__main__":
    main()
