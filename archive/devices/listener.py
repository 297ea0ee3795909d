"""Following the boxes over MQTT 5, at every broker.

Concurrency: paho has one thread for each broker (started by `loop_start`, joined by `loop_stop`), which only puts
messages into a queue, because an exception in a paho callback ends that thread without a word. The main thread alone
takes from the queue and writes to the database. When the queue is full because the database cannot follow, messages are
dropped and counted; a room then shows as silent, never as something that it is not.
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
from django.conf import settings
from django.db import DatabaseError, close_old_connections, transaction
from django.db.models.functions import Now
from django.utils import timezone
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from appliance.contract.errors import SettingsError
from appliance.contract.stop_signal import StopSignal
from appliance.contract.topics import ALL
from archive.configuration.brokers import Broker, Mqtt
from archive.core.database_clock import SLACK

from .broker_access import boxes_of
from .models import Box, BoxStatus, Listening
from .reported_status import MAX_PAYLOAD, Message, keep

QUEUE = 20_000
"""Most messages that wait for the database."""
BATCH = 1000
"""Most messages that are written at once: 300 boxes that report once a second are one transaction a second."""
FULL_S = 0.25
"""How often it is looked whether the listener stops, while the queue is full, in seconds."""
ALIVE_S = 2.0
"""How often the listener says that it is there, in seconds."""
LATE = timedelta(seconds=10)
"""A listener that said nothing for so long does not run."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NewConnection:
    """Stands in the queue where a new connection begins."""

    broker: Broker


Heard = Message | NewConnection


class Connection:
    """The connection to one broker; what comes is given to `hear`, with the moment that `now` tells."""

    def __init__(self, named: Mqtt, broker: Broker, hear: Callable[[Heard], None], now: Callable[[], datetime]) -> None:
        self.broker = broker
        self._hear = hear
        self._now = now
        self._told = False
        self._client = self._make_client(named)

    @property
    def connected(self) -> bool:
        """Whether the broker took the connection."""
        return bool(self._client.is_connected())

    def start(self) -> None:
        """Connect; a broker that is down is tried again and again."""
        most = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        # the broker drops what is larger, instead of sending it; a topic and what surrounds it are shorter than 4 KiB
        most.MaximumPacketSize = MAX_PAYLOAD + (4 << 10)
        self._client.connect_async(self.broker.host, self.broker.port, keepalive=20, clean_start=True, properties=most)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def _make_client(self, named: Mqtt) -> mqtt.Client:
        # nobody can take a name that nobody can guess, and so throw the listener off the broker
        name = f"{named.client_id}-{secrets.token_hex(8)}"
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        if named.ca is not None:
            try:
                context = ssl.create_default_context(cafile=str(named.ca))
                if named.certificate is not None:
                    context.load_cert_chain(named.certificate, named.key)
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
        _log.info("connected to the broker at %(host)s:%(port)d", {"host": self.broker.host, "port": self.broker.port})
        self._hear(NewConnection(self.broker))
        options = SubscribeOptions(qos=1, retainAsPublished=False)
        client.subscribe(ALL, options=options, properties=Properties(PacketTypes.SUBSCRIBE))  # type: ignore[no-untyped-call]

    def _unreachable(self, _client: mqtt.Client, _data: Any) -> None:
        if not self._told:
            _log.error(
                "cannot reach the broker at %(host)s:%(port)d; it is tried again (see [mqtt] in archive.toml)",
                {"host": self.broker.host, "port": self.broker.port},
            )
        self._told = True

    def _disconnected(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        _log.warning(
            "the connection to the broker at %(host)s:%(port)d ended: %(problem)s",
            {"host": self.broker.host, "port": self.broker.port, "problem": reason},
        )

    def _arrived(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._hear(Message(message.topic, bytes(message.payload), message.retain, self._now(), self.broker.name))


class Listener:
    """Subscribes at every broker, and keeps what it hears."""

    def __init__(self, named: Mqtt) -> None:
        self._heard: queue.Queue[Heard] = queue.Queue(QUEUE)
        self._dropped = 0
        self._sign = OwnSign()
        self.stop = StopSignal()
        """Makes `run` return."""
        self._connections = [Connection(named, broker, self._hear, self._now) for broker in named.brokers]

    def run(self) -> None:
        """Listen until `stop`."""
        for connection in self._connections:
            connection.start()
        try:
            self._consume()
        finally:
            for connection in self._connections:
                connection.stop()
            self._sign.say(dict.fromkeys(self._connected(), False))

    def _connected(self) -> dict[str, bool]:
        return {connection.broker.name: connection.connected for connection in self._connections}

    def _now(self) -> datetime:
        # by the database's clock, by which other hosts judge how long ago that was
        return datetime.now(UTC) - self._sign.ahead

    def _hear(self, heard: Heard) -> None:
        if isinstance(heard, NewConnection):
            # it must not be dropped, and whoever stops waits for this thread, which nothing takes from any more
            while not self.stop.is_set():
                with suppress(queue.Full):
                    self._heard.put(heard, timeout=FULL_S)
                    return
            return
        try:
            self._heard.put_nowait(heard)
        except queue.Full:
            self._dropped += 1

    def _consume(self) -> None:
        # by CLOCK_MONOTONIC: a wall clock that is put back would silence it for as long
        due = time.monotonic()
        while not self.stop.is_set():
            if time.monotonic() >= due:
                self._sign.say(self._connected())
                due = time.monotonic() + ALIVE_S
                if self._dropped:
                    _log.error("%(count)d messages were dropped: the database is too slow", {"count": self._dropped})
                    self._dropped = 0
            take_all(self._next())

    def _next(self) -> list[Heard]:
        """Return what waits, at most BATCH of them; wait a little for the first."""
        found: list[Heard] = []
        with suppress(queue.Empty):
            found.append(self._heard.get(timeout=0.25))
            while len(found) < BATCH:
                found.append(self._heard.get_nowait())
        return found


def take_all(heard: list[Heard]) -> None:
    """Keep what was heard; of a broker to which a new connection began, only what came after that."""
    begins: dict[str, int] = {}
    for place, one in enumerate(heard):
        if isinstance(one, NewConnection):
            begins[one.broker.name] = place
            # a fault's end may have been missed; the broker repeats those that still hold
            _try(lambda broker=one.broker: _forget_faults(broker))  # type: ignore[misc]
    take([
        one for place, one in enumerate(heard) if isinstance(one, Message) and place > begins.get(one.broker, -1)
    ])  # fmt: skip


def _forget_faults(broker: Broker) -> None:
    BoxStatus.objects.filter(box__in=boxes_of(broker)).update(faults={})


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
    alive_at: datetime | None
    """When it last said that it runs; None if it never did."""
    lost: frozenset[str]
    """Names of the brokers to which it was not connected then."""

    @property
    def listens(self) -> bool:
        """Whether it said lately that it runs."""
        return is_fresh(self.alive_at, self.now)

    def hears(self, box: Box) -> bool:
        """Tell whether it hears what this box says."""
        return self.listens and settings.ARCHIVE.mqtt.called(box.broker).name not in self.lost


def is_fresh(alive_at: datetime | None, now: datetime) -> bool:
    """Tell whether a listener that last said then that it runs still does.

    One that said so at a time to come did it before the clock was put back, and may long be dead.
    """
    return alive_at is not None and -SLACK <= now - alive_at < LATE


def standing() -> Standing:
    """Return what is known of the listener now."""
    names = {broker.name for broker in settings.ARCHIVE.mqtt.brokers}
    found = Listening.objects.filter(pk__in=names).annotate(now=Now())
    rows = list(found.values_list("pk", "connected", "alive_at", "now"))
    now = rows[0][3] if rows else timezone.now()
    said = [at for _, _, at, _ in rows if at is not None]
    alive_at = max([at for at in said if is_fresh(at, now)] or said, default=None)
    lost = frozenset(names - {name for name, connected, _, _ in rows if connected})
    return Standing(now, alive_at, lost)


def hears() -> bool:
    """Tell whether the listener said lately that it is connected to every broker."""
    found = standing()
    return found.listens and not found.lost


class OwnSign:
    """What one listener says of itself; another one, on another host, may say the same of itself in the same rows."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        """By so much this host's clock is ahead of the database's, as far as is known."""
        self._said: dict[str, datetime] = {}
        """When this listener last wrote the row of a broker, by the database's clock."""

    def say(self, connected: dict[str, bool]) -> None:
        """Say that this listener runs, and to which brokers it is connected.

        That it is cut off from one counts only where no other said lately that it hears that one.
        """
        try:
            for name, is_connected in connected.items():
                self._say(name, is_connected)
        except DatabaseError:
            _log.exception("the database failed")
            close_old_connections()

    def _say(self, name: str, is_connected: bool) -> None:
        with transaction.atomic():
            Listening.objects.get_or_create(pk=name)
            row = Listening.objects.select_for_update().annotate(now=Now()).get(pk=name)
            of_other = row.alive_at != self._said.get(name)
            if not is_connected and row.connected and of_other and is_fresh(row.alive_at, row.now):
                return
            Listening.objects.filter(pk=name).update(alive_at=Now(), connected=is_connected)
            # the row is locked, so this is what was just written
            row.refresh_from_db()
        if row.alive_at is not None:
            self._said[name], self.ahead = row.alive_at, datetime.now(UTC) - row.alive_at
