"""The box: what hears (recorder), what talks (courier), what they agree on (contract), and a simulator."""
