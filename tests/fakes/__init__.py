"""Stand-ins with real sockets: what the tests talk to instead of the world."""
