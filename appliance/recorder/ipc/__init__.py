"""What the recorder's processes share: ring, message channel, wake-up queue, set-up of a child."""
