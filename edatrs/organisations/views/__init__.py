"""Views of the organisations app."""
