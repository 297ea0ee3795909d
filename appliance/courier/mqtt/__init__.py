"""Reports status to the broker over MQTT 5."""
