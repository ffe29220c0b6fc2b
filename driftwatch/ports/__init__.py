"""Every door of the shell as a Protocol, with the types that pass through it; implementations never import each other.

May import the core, for types alone.
"""
