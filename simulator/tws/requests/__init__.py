"""What a client asks, each message once: a frozen class whose fields stand in the order of the wire."""
