"""What goes along with what is handed over, and the receipt for it: each paper in English and Spanish."""
