"""The half of the box that talks: status by MQTT, recordings by HTTPS. It has no microphone and no opening key."""
