"""A broker: whether it takes the archive's certificate, and lets in whom the archive believes."""

from __future__ import annotations

import secrets
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as mqtt
from django.db import DatabaseError
from paho.mqtt.enums import CallbackAPIVersion

from appliance.contract.check_result import CheckResult
from archive.configuration.brokers import MAIN, Broker, Mqtt
from archive.configuration.fields import LOCAL
from archive.devices.broker_access import FILE_NAME, wanted_access

ANSWER_S: Final = 5.0
"""How long the broker may take to answer, in seconds."""


@dataclass(frozen=True)
class BrokerLook:
    """A broker."""

    host: str
    port: int
    tls: bool
    """Whether the settings name an authority for it."""
    refusal: str
    """Why there is no connection; empty if there is one."""
    is_ours: bool
    """Whether the archive looks after its files."""
    access: str
    """What is wrong with its access list; empty if it is current."""
    name: str = MAIN
    """How the settings call it."""
    elsewhere: str = ""
    """Its folder, if that is not on this host."""


def look(settings: Mqtt, broker: Broker) -> BrokerLook:
    """Connect as the listener does, under a name of its own, and compare the access list."""
    folder = broker.broker_folder
    access, elsewhere = "", ""
    if folder is not None and not folder.is_dir():
        folder, elsewhere = None, str(folder)
    if folder is not None:
        try:
            current = (folder / FILE_NAME).read_bytes() == wanted_access(broker)
            access = "" if current else "it is not that of today's boxes"
        except OSError as error:
            access = f"cannot read {folder / FILE_NAME}: {error.strerror}"
        except DatabaseError:
            access = "the boxes cannot be read from the database"
    refusal, tls = _refusal(settings, broker), settings.ca is not None
    return BrokerLook(broker.host, broker.port, tls, refusal, folder is not None, access, broker.name, elsewhere)


def _refusal(settings: Mqtt, broker: Broker) -> str:
    answers: list[Any] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"doctor-{secrets.token_hex(4)}", protocol=mqtt.MQTTv5)
    client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.append(reason)
    try:
        if settings.ca is not None:
            context = ssl.create_default_context(cafile=str(settings.ca))
            if settings.certificate is not None:
                context.load_cert_chain(settings.certificate, settings.key)
            client.tls_set_context(context)
        client.connect_timeout = ANSWER_S
        client.connect(broker.host, broker.port)
        deadline = time.monotonic() + ANSWER_S
        while not answers and time.monotonic() < deadline:
            if client.loop(0.2) != mqtt.MQTT_ERR_SUCCESS:
                return "it ends the connection: it does not know the archive's certificate"
    except (OSError, ValueError) as error:
        return str(error)
    finally:
        client.disconnect()
    if not answers:
        return f"no answer within {ANSWER_S:g} s"
    return f"it refuses the archive: {answers[0]}" if answers[0].is_failure else ""


def check(seen: BrokerLook) -> Iterator[CheckResult]:
    """Yield what is wrong with the broker."""
    name = "broker" if seen.name == MAIN else f"broker {seen.name}"
    where = f"{seen.host}:{seen.port}"
    if seen.refusal:
        remedy = "start it (systemctl restart mosquitto), or mend [mqtt]; until then the rooms' states are not known"
        yield CheckResult(name, "wrong", f"{where}: {seen.refusal}", remedy)
    elif not seen.tls and seen.host not in LOCAL:
        remedy = "name the broker's authority in [mqtt] ca"
        yield CheckResult(name, "wrong", f"{where} is spoken to without TLS", remedy)
    else:
        yield CheckResult(name, "ok", f"{where}{', by TLS' if seen.tls else ', without TLS, on this host'}")
    if seen.elsewhere:
        remedy = "nothing, if it is another host's where a worker runs; else run 'plainsight-archive setup' here"
        yield CheckResult(f"{name}'s access list", "warning", f"{seen.elsewhere} is not on this host", remedy)
    if seen.is_ours and seen.access:
        remedy = "see that the worker runs: it writes the list every ten seconds"
        yield CheckResult(f"{name}'s access list", "wrong", seen.access, remedy)
    elif seen.is_ours:
        yield CheckResult(f"{name}'s access list", "ok", "it lets in its boxes that are believed, and nobody else")
