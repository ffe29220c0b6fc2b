"""What survives: one SQLite database and the reference files.

The store moves bytes and rows; it knows no summary and no rule.
"""
