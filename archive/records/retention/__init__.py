"""Retention: how long recordings are kept, as the district decided; nothing follows from a day that passes."""
