"""One district on one machine: certificates, broker, archive, box, panel."""
