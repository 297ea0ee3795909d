"""The cloud-init files that make a fresh Raspberry Pi OS into a box at its first boot.

They are JSON, which every reader of YAML 1.2 takes. Source: cloud-init's documentation (modules ntp, users_groups,
bootcmd, write_files, runcmd; NoCloud; network configuration version 2).
"""

from __future__ import annotations

import json
from typing import Any, Final

from .plan import HOST_NAME, Plan, Repository, Wifi

SCRIPT: Final = "/usr/local/sbin/plainsight-install"
UNIT: Final = "plainsight-install.service"
PACKAGES: Final = "plainsight-packages"
"""Folder of the card's boot partition for packages that come with it."""
WIFI_AUTHORITY: Final = "plainsight-wifi.pem"
_BOOT: Final = "/boot/firmware"
_BOOTLOADER: Final = "/usr/share/plainsight/firmware/eeprom.conf"

_INSTALL: Final = """#!/bin/sh
# Installs the box's software, as often as it takes: the network may come later than the first boot.
set -eu
export DEBIAN_FRONTEND=noninteractive
log=/run/plainsight-install.log says={boot}/plainsight-says.txt
# what a power cut ended is finished first; if that fails, apt-get says why
if ! {{
    dpkg --force-confold --configure -a || true
    apt-get update && apt-get install -y --no-install-recommends {what}
}} >$log 2>&1; then
    cat $log
    # nobody can log in and look: the card says it to whoever puts it into a computer, and is not worn out by it
    grep '^[EW]:' $log | sort -u >$log.new || true
    if [ ! -e $says ] || ! cmp -s $log.new $log.said; then
        {{ echo "Since $(date -u '+%Y-%m-%d %H:%M') UTC by the box's clock, which may be wrong:"
           echo "The software cannot be installed; the box tries again every minute. Is it on the network?"
           cat $log.new; }} >$says || true
        cp $log.new $log.said
    fi
    exit 1
fi
rm -f $says
# a Pi 4 or 5 has its bootloader in a chip: it boots from its card and from nothing else, where it did so now
case "$(tr -d '\\0' </proc/device-tree/model 2>/dev/null)" in
    *"Pi 4"* | *"Pi 5"* | *"Module 4"* | *"Module 5"*)
        if findmnt -no SOURCE {boot} | grep -q mmcblk && ! rpi-eeprom-config --apply {bootloader} >$log 2>&1; then
            cat $log
            {{ echo "The box is installed, but its bootloader still starts other systems, as from a stick:"
               tail -n 5 $log
               echo "By somebody who can log in: sudo rpi-eeprom-config --apply {bootloader}"; }} >$says || true
        fi ;;
esac
touch /var/lib/plainsight-installed
# the kernel's command line, groups, udev rules and units hold from the next start on
systemctl --no-block reboot
"""
_SERVICE: Final = f"""[Unit]
Description=Install Plain Sight (once)
Wants=network-online.target
After=network-online.target time-sync.target
ConditionPathExists=!/var/lib/plainsight-installed
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart={SCRIPT}
Restart=on-failure
RestartSec=60
TimeoutStartSec=1h

[Install]
WantedBy=multi-user.target
"""
_NO_LOGIN: Final = ("userconfig.service", "sshswitch.service")
"""Raspberry Pi OS: the first asks whoever plugs in a keyboard to make an administrator, the second starts SSH if there
is a file called `ssh` on the card."""


def user_data(plan: Plan) -> str:
    """Return `user-data`."""
    ssh = bool(plan.ssh_key)
    # before anything of multi-user.target begins: runcmd waits for that target on Debian, and the dialog of
    # userconfig.service, which nobody answers, would hold it up for ever
    masked = ["systemctl", "mask", "--now", *_NO_LOGIN, *(() if ssh else ("ssh.service", "ssh.socket"))]
    commands = [["systemctl", "daemon-reload"]]
    if ssh:
        commands.append(["systemctl", "enable", "--now", "ssh.service"])
    commands.append(["systemctl", "enable", "--now", "--no-block", UNIT])
    ntp: dict[str, Any] = {"enabled": True, "ntp_client": "systemd-timesyncd"}
    if plan.time_servers:
        ntp |= {"servers": list(plan.time_servers), "pools": []}
    document = {
        "hostname": plan.host_name,
        "preserve_hostname": False,
        "manage_etc_hosts": True,
        "timezone": plan.time_zone,
        "ntp": ntp,
        # no account but the technician's, if any, and no password anywhere
        "users": [_technician(plan.ssh_key)] if ssh else [],
        "disable_root": True,
        "ssh_pwauth": False,
        "bootcmd": [masked],
        "write_files": _files(plan),
        "runcmd": commands,
    }
    return f"#cloud-config\n{json.dumps(document, indent=2)}\n"


def _technician(key: str) -> dict[str, Any]:
    return {
        "name": "technician",
        "gecos": "District technician",
        "groups": "sudo",
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "shell": "/bin/bash",
        "lock_passwd": True,
        "ssh_authorized_keys": [key],
    }


def _files(plan: Plan) -> list[dict[str, str]]:
    repository = isinstance(plan.source, Repository)
    what = "plainsight-box unattended-upgrades" if repository else f"{_BOOT}/{PACKAGES}/*.deb"
    files = {
        SCRIPT: ("0755", _INSTALL.format(what=what, boot=_BOOT, bootloader=_BOOTLOADER)),
        f"/etc/systemd/system/{UNIT}": ("0644", _SERVICE),
    }
    if isinstance(plan.source, Repository):
        files["/etc/apt/sources.list.d/plainsight.sources"] = ("0644", apt_source(plan.source))
    return [
        {"path": path, "owner": "root:root", "permissions": mode, "content": text}
        for path, (mode, text) in files.items()
    ]


def apt_source(repository: Repository) -> str:
    """Return the deb822 source of the district's repository, which believes its own key and no other."""
    key = "\n".join(f" {line}" if line else " ." for line in repository.key.strip().splitlines())
    return f"Types: deb\nURIs: {repository.url}\nSuites: plainsight\nComponents: main\nSigned-By:\n{key}\n"


def network_config(wifi: Wifi | None) -> str:
    """Return `network-config`: a cable always serves; nothing waits for either."""
    network: dict[str, Any] = {
        "version": 2,
        "ethernets": {"eth0": {"dhcp4": True, "dhcp6": True, "optional": True}},
    }
    if wifi is not None:
        network["wifis"] = {
            "wlan0": {
                "dhcp4": True,
                "dhcp6": True,
                "optional": True,
                "regulatory-domain": wifi.country,
                "access-points": {wifi.name: _access_point(wifi)},
            }
        }
    return json.dumps({"network": network}, indent=2) + "\n"


def _access_point(wifi: Wifi) -> dict[str, Any]:
    if wifi.security == "wpa2":
        return {"password": wifi.password}
    if wifi.security == "wpa3":
        return {"auth": {"key-management": "sae", "password": wifi.password}}
    return {
        "auth": {
            "key-management": "eap",
            "method": "peap",
            "identity": wifi.identity,
            "password": wifi.password,
            "ca-certificate": f"{_BOOT}/{WIFI_AUTHORITY}",
        }
    }


def meta_data(plan: Plan) -> str:
    """Return `meta-data`: a new name makes cloud-init start afresh."""
    return json.dumps({"instance-id": plan.host_name, "local-hostname": plan.host_name, "dsmode": "local"}) + "\n"


def host_name_in(text: str) -> str | None:
    """Return the host name in a `meta-data` of ours, or None if it is another's."""
    try:
        found = json.loads(text)["local-hostname"]
    except (ValueError, TypeError, KeyError):
        return None
    return found if isinstance(found, str) and HOST_NAME.fullmatch(found) else None
