"""One connection to the broker: MQTT 5, TLS, the box's certificate, a Will with a session number of its own.

A connection is never used again after it ended. paho would send what the old one had not got acknowledged once more,
after the new state, and so bring back an old one.

Concurrency: one thread makes it, calls `serve` in a loop, publishes and closes; paho starts no thread here, so its
callbacks run inside `serve` and only set attributes.
"""

from __future__ import annotations

import logging
import ssl
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from appliance.contract.durable_files import read_bounded
from appliance.contract.enrollment import BrokerAddress
from appliance.contract.errors import FormatError, PlainSightError, SettingsError
from appliance.contract.status import Online
from appliance.contract.topics import Topics
from appliance.contract.trouble_log import TroubleLog
from appliance.courier.pinned_tls import pinned_context
from appliance.courier.settings import Broker

from .publication_policy import Publication
from .reason_codes import TAKEN_OVER, in_words

MAX_ADDRESS = 1 << 10
"""Most bytes of a file that names a broker."""
CLOSING_TURNS = 20
"""How often, for 0.05 s each, the network is served so that the last message gets out."""


class BrokerError(PlainSightError):
    """The broker cannot be reached, or does not want this box."""

    code = "broker-down"


class TakenOverError(BrokerError):
    """Another client has this box's identity, as the broker says."""


def tls_context(settings: Broker) -> ssl.SSLContext:
    """Return the TLS settings; raise SettingsError that names the file if a certificate or key cannot be used."""
    for name in ("ca", "certificate", "key"):
        path = getattr(settings, name)
        try:
            path.open("rb").close()
        except OSError as error:
            raise SettingsError(f"cannot read {path}: {error.strerror}", field=f"broker.{name}") from error
    field = "broker.ca"
    try:
        context = pinned_context(settings.ca)
        field = "broker.certificate"
        context.load_cert_chain(settings.certificate, settings.key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"cannot use the broker's certificates: {error}", field=field) from error
    return context


def address_of(settings: Broker) -> BrokerAddress:
    """Return the broker that the archive named last, else that of the settings; what cannot be read names none."""
    try:
        return BrokerAddress.parse(read_bounded(settings.address, MAX_ADDRESS))
    except (OSError, FormatError):
        return BrokerAddress(host=settings.host, port=settings.port)


class Connection:
    """From connecting to the first failure."""

    def __init__(self, settings: Broker, box: str, session: int, connect_s: float) -> None:
        """Prepare the connection number `session` of the box; `connect_s` limits connecting, in seconds."""
        self._settings = settings
        self.address = address_of(settings)
        """The broker."""
        self._topics = Topics(box)
        self._session = session
        self._troubles = TroubleLog(logging.getLogger(__name__), logging.ERROR)
        self._waiting: dict[int, str] = {}
        self._ended = ""
        self._taken_over = False
        self.accepted = False
        """Whether the broker took the connection."""
        self.believed = False
        """Whether it took the message that this box is online: only then do the others arrive as well."""
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=box, protocol=mqtt.MQTTv5, reconnect_on_failure=False
        )
        client.tls_set_context(tls_context(settings))
        client.connect_timeout = connect_s
        client.max_queued_messages_set(1000)
        client.will_set(self._topics.online, self._online(online=False).payload(), qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        self._client = client

    def open(self) -> None:
        """Connect; raise BrokerError if that fails."""
        host, port = self.address.host, self.address.port
        try:
            self._client.connect(host, port, self._settings.keepalive, clean_start=True)
        except (OSError, ValueError) as error:
            raise BrokerError(
                f"the broker at {host}:{port} cannot be reached: {type(error).__name__}: {error}"
            ) from error

    @property
    def is_current(self) -> bool:
        """Whether the broker is still the one that the archive named last."""
        return address_of(self._settings) == self.address

    def serve(self, seconds: float) -> None:
        """Send and receive for at most so long; raise BrokerError if the connection ended."""
        result = self._client.loop(timeout=seconds)
        if self._ended:
            raise TakenOverError(self._ended) if self._taken_over else BrokerError(self._ended)
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise BrokerError(
                f"the connection to the broker ended: {mqtt.error_string(result)}"
                + ("" if self.accepted else "; it may not accept this box's certificate")
            )

    def publish_online(self) -> None:
        """Publish that the courier is connected."""
        self.publish(self._online(online=True))

    def publish(self, publication: Publication) -> None:
        """Send a message; if the broker refuses it, that is logged."""
        info = self._client.publish(publication.topic, publication.payload(), qos=1, retain=publication.retain)
        self._waiting[info.mid] = publication.topic

    def close(self) -> None:
        """Publish that the courier is gone, so that the Will is not needed, and disconnect."""
        if not self._client.is_connected():
            return
        self.publish(self._online(online=False))
        for _ in range(CLOSING_TURNS):
            if not self._waiting or self._client.loop(timeout=0.05) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                break
        self._client.disconnect()

    def _online(self, *, online: bool) -> Publication:
        return Publication(self._topics.online, Online(online=online, session=self._session), retain=True)

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self.accepted = not reason.is_failure
        if reason.is_failure:
            self._ended = f"the broker refuses this box: {in_words(reason)}"

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self._ended = self._ended or f"the connection to the broker ended: {in_words(reason)}"
        self._taken_over = reason.value == TAKEN_OVER

    def _on_publish(self, _client: Any, _data: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        topic = self._waiting.pop(mid, "")
        if topic == self._topics.online:
            self.believed = not reason.is_failure
        if reason.is_failure:
            self._troubles.report(
                topic,
                f"the broker refuses messages on {topic}: {reason}; the certificate's common name and the broker's "
                f"access list must allow this box to write below {self._topics.online.removesuffix('online')}",
            )
