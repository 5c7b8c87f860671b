"""What programs may ask of the NDTMS desk: the same acts, services and reads as the pages."""
