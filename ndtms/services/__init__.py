"""Writes of the ndtms app."""
