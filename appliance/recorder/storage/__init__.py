"""The disk, the one seam of its faults, and the spool: what writer and commissioning both use."""
