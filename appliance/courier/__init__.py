"""The part of a box that uses the network: status over MQTT, recordings over HTTPS. It has no microphone and no key."""
