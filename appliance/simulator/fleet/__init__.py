"""A fleet of simulated boxes: the real courier's code, in great numbers, against a real archive and a real broker.

It stands outside of any box and of any archive, so it alone may import what boxes and archive are made of.
"""
