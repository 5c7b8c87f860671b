"""Pages of the ndtms app."""
