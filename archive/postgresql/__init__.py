"""Django's engine for PostgreSQL, with one thing more: whoever waits for an answer gives up by this host's clock.

Statements have a limit of time, which the server keeps. A server whose host hangs keeps none, nor does one behind a
proxy that lost it: the network still acknowledges each packet, so TCP sees nothing wrong, and nobody would ever come
back from the wait.
"""
