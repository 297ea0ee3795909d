"""Following the boxes over MQTT 5.

Concurrency: paho's own thread (started by `loop_start`, joined by `loop_stop`) only puts messages into a queue, because
an exception in a paho callback ends that thread without a word. The main thread alone takes from the queue and writes
to the database. When the queue is full because the database cannot follow, messages are dropped and counted; a room
then shows as silent, never as something that it is not.
"""

from __future__ import annotations

import logging
import queue
import secrets
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import paho.mqtt.client as mqtt
from django.db import DatabaseError, close_old_connections
from django.db.models.functions import Now
from django.utils import timezone
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from appliance.contract.errors import SettingsError
from appliance.contract.stop_signal import StopSignal
from appliance.contract.topics import ALL
from archive.configuration.services import Mqtt

from .models import BoxStatus, Listening
from .reported_status import MAX_PAYLOAD, Message, keep

QUEUE = 20_000
"""Most messages that wait for the database."""
BATCH = 1000
"""Most messages that are written at once: 300 boxes that report once a second are one transaction a second."""
ALIVE_S = 2.0
"""How often the listener says that it is there, in seconds."""
LATE = timedelta(seconds=10)
"""A listener that said nothing for so long does not run."""
ALIVE_ROW = 1
NEW_CONNECTION = None
"""Stands in the queue where a new connection begins."""
_log = logging.getLogger(__name__)


class Listener:
    """Subscribes, and keeps what it hears."""

    def __init__(self, settings: Mqtt) -> None:
        self._settings = settings
        self._messages: queue.Queue[Message | None] = queue.Queue(QUEUE)
        self._dropped = 0
        self._told = False
        self._ahead = timedelta()
        """By so much this host's clock is ahead of the database's."""
        self.stop = StopSignal()
        """Makes `run` return."""
        self._client = self._make_client()

    def run(self) -> None:
        """Listen until `stop`; a broker that is down is tried again and again."""
        settings = self._settings
        most = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        # the broker drops what is larger, instead of sending it; a topic and what surrounds it are shorter than 4 KiB
        most.MaximumPacketSize = MAX_PAYLOAD + (4 << 10)
        self._client.connect_async(settings.host, settings.port, keepalive=20, clean_start=True, properties=most)
        self._client.loop_start()
        try:
            self._consume()
        finally:
            self._client.disconnect()
            self._client.loop_stop()
            _say_alive(connected=False)

    def _make_client(self) -> mqtt.Client:
        settings = self._settings
        # nobody can take a name that nobody can guess, and so throw the listener off the broker
        name = f"{settings.client_id}-{secrets.token_hex(8)}"
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        if settings.ca is not None:
            try:
                context = ssl.create_default_context(cafile=str(settings.ca))
                if settings.certificate is not None:
                    context.load_cert_chain(settings.certificate, settings.key)
            except (OSError, ssl.SSLError) as error:
                raise SettingsError(f"cannot use the broker's certificates: {error}", field="mqtt") from error
            client.tls_set_context(context)
        client.on_connect = self._connected
        client.on_connect_fail = self._unreachable
        client.on_disconnect = self._disconnected
        client.on_message = self._arrived
        client.reconnect_delay_set(min_delay=1, max_delay=15)
        return client

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            _log.error(
                "the broker refuses the archive: %(problem)s; check its certificate and the broker's ACL",
                {"problem": reason},
            )
            return
        self._told = False
        _log.info("connected to the broker")
        self._messages.put(NEW_CONNECTION)
        options = SubscribeOptions(qos=1, retainAsPublished=False)
        client.subscribe(ALL, options=options, properties=Properties(PacketTypes.SUBSCRIBE))  # type: ignore[no-untyped-call]

    def _unreachable(self, _client: mqtt.Client, _data: Any) -> None:
        if not self._told:
            _log.error(
                "cannot reach the broker at %(host)s:%(port)d; it is tried again (see [mqtt] in archive.toml)",
                {"host": self._settings.host, "port": self._settings.port},
            )
        self._told = True

    def _disconnected(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        _log.warning("the connection to the broker ended: %(problem)s", {"problem": reason})

    def _arrived(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            # by the database's clock, by which other hosts judge how long ago that was
            at = datetime.now(UTC) - self._ahead
            self._messages.put_nowait(Message(message.topic, bytes(message.payload), message.retain, at))
        except queue.Full:
            self._dropped += 1

    def _consume(self) -> None:
        # by CLOCK_MONOTONIC: a wall clock that is put back would silence it for as long
        due = time.monotonic()
        while not self.stop.is_set():
            if time.monotonic() >= due:
                self._ahead = _say_alive(connected=self._client.is_connected(), ahead=self._ahead)
                due = time.monotonic() + ALIVE_S
                if self._dropped:
                    _log.error("%(count)d messages were dropped: the database is too slow", {"count": self._dropped})
                    self._dropped = 0
            messages = self._next()
            if NEW_CONNECTION in messages:
                # a fault's end may have been missed; the broker repeats those that still hold
                last = len(messages) - messages[::-1].index(NEW_CONNECTION)
                _try(lambda: BoxStatus.objects.update(faults={}))
                messages = messages[last:]
            take([message for message in messages if message is not None])

    def _next(self) -> list[Message | None]:
        """Return what waits, at most BATCH of them; wait a little for the first."""
        found: list[Message | None] = []
        with suppress(queue.Empty):
            found.append(self._messages.get(timeout=0.25))
            while len(found) < BATCH:
                found.append(self._messages.get_nowait())
        return found


def take(messages: list[Message]) -> None:
    """Keep messages all at once; where that fails, one by one, so that a bad one costs itself alone."""
    if not messages or _try(lambda: _keep(messages)):
        return
    for message in messages:
        _try(lambda message=message: _keep([message]))  # type: ignore[misc]


def _keep(messages: list[Message]) -> None:
    for problem in keep(messages):
        _log.warning("a message was ignored: %(problem)s", {"problem": problem})


def _try(work: Callable[[], object]) -> bool:
    try:
        work()
    except DatabaseError as error:
        _log.error("the database failed: %(problem)s", {"problem": error})
        close_old_connections()
    except (ValueError, TypeError, LookupError, ArithmeticError):
        _log.exception("a message could not be kept; please report it")
    else:
        return True
    return False


@dataclass(frozen=True)
class Standing:
    """What is known of the listener."""

    now: datetime
    """The moment, by the database's clock: the hosts' own may differ, here and below."""
    listens: bool
    """Whether it said lately that it runs."""
    connected: bool
    """Whether it was connected to the broker then."""


def standing() -> Standing:
    """Return what is known of the listener now."""
    rows = Listening.objects.filter(pk=ALIVE_ROW).annotate(now=Now())
    row = rows.values_list("now", "alive_at", "connected").first()
    if row is None:
        return Standing(timezone.now(), listens=False, connected=False)
    now, alive_at, connected = row
    return Standing(now, listens=alive_at is not None and now - alive_at < LATE, connected=connected)


def hears() -> bool:
    """Tell whether the listener said lately that it is connected to the broker."""
    found = standing()
    return found.listens and found.connected


def _say_alive(*, connected: bool, ahead: timedelta = timedelta()) -> timedelta:
    """Say that the listener runs, and return by how much this host's clock is ahead; `ahead` where nobody knows."""
    try:
        Listening.objects.update_or_create(pk=ALIVE_ROW, defaults={"alive_at": Now(), "connected": connected})
        own = datetime.now(UTC)
        said = Listening.objects.filter(pk=ALIVE_ROW).values_list("alive_at", flat=True).first()
    except DatabaseError:
        _log.exception("the database failed")
        close_old_connections()
        return ahead
    return own - said if said is not None else ahead
