# Shared by the commands of this folder: installs Debian packages and a virtual environment, once, and says so.
# Sets: ROOT (the project), VENV (the environment). Nothing is written into the project.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "$*"; exit 1; }
# usage: the comment at the head of the command that reads this
usage() { sed -n '2,/^[^#]/s/^# \?//p' "$0"; }
# that needs nothing installed, and makes nothing
case "${1:-}" in -h | --help) usage; exit 0 ;; esac

# can_be_root: whether as_root can work; asked before output is redirected, where a message would be lost
can_be_root() { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# install_packages NAME...: only what is missing, and only then apt is asked anything
install_packages() {
    command -v apt-get >/dev/null || die "this is no Debian system (there is no apt-get)"
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    can_be_root || die "Debian packages are missing, and this needs root or sudo to install them. Ask an administrator to run:
    apt-get install --no-install-recommends ${missing[*]}"
    say "installing from Debian: ${missing[*]}"
    local log; log=$(mktemp)
    # sudo asks for its password on the terminal, not through the standard input
    if ! { as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        die "apt could not install them; its whole output is in $log"
    fi
    rm -f "$log"
    # Debian starts servers of its own on installation; we brought them here, so we put them back to rest
    for name in mosquitto nginx haproxy caddy postgresql; do
        case " ${missing[*]} " in *" $name "* | *" $name-light "*)
            if [ -d /run/systemd/system ]; then
                as_root systemctl disable --now "$name.service" >/dev/null 2>&1 \
                    || say "could not disable Debian's own $name.service; it listens on a port of this machine"
            fi ;;
        esac
    done
}

# in_memory MB: makes a folder in memory and prints it, where so many MB are free there and four times as many in all;
# fails otherwise
in_memory() {
    local room all
    room=$(df --output=avail --block-size=1M /dev/shm 2>/dev/null | tail -n 1) || return 1
    all=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
    [ "$room" -ge "$1" ] && [ "$all" -ge $((4 * $1)) ] || return 1
    # short: the path of a Unix socket has 108 characters
    mktemp -d /dev/shm/ps.XXXX
}

# locate_environment EXTRAS: sets VENV to where the environment with these extras is, or would be
locate_environment() {
    local python=/usr/bin/python3
    [ -x "$python" ] || die "there is no /usr/bin/python3"
    if [ "$(id -u)" = 0 ]; then base=/var/cache/plainsight; else base=${XDG_CACHE_HOME:-$HOME/.cache}/plainsight; fi
    VENV=$base/$(printf '%s %s %s' "$ROOT" "$("$python" -V)" "$1" | sha256sum | cut -c1-12)
    export VENV
}

# find_environment EXTRAS: the environment as an earlier call of make_environment left it
find_environment() {
    local base
    locate_environment "$1"
    [ -x "$VENV/bin/python" ] || die "there is no environment yet; run deploy/test once, which makes it"
}

# make_environment EXTRAS: a virtual environment with the project installed, outside the project and readable by the
# users that the box's processes become
make_environment() {
    local extras=$1 python=/usr/bin/python3 base want have
    locate_environment "$extras"
    "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
        || die "Python 3.11 to 3.13 is needed; $python is $("$python" -V 2>&1)"
    mkdir -p "$base"
    exec 9>"$VENV.lock"
    flock 9
    want=$(sha256sum <"$ROOT/pyproject.toml")
    have=$(cat "$VENV/.requirements" 2>/dev/null || true)
    if [ "$want" != "$have" ]; then
        say "making the Python environment $VENV (some minutes the first time)"
        rm -rf "$VENV"
        "$python" -m venv "$VENV"
        pip_install "$ROOT${extras:+[$extras]}"
        "$VENV/bin/pip" uninstall -q -y plainsight
        printf '%s\n' "$want" >"$VENV/.requirements"
    fi
    # the project itself again whenever a source changed
    want=$(cd "$ROOT" && find appliance archive pyproject.toml -type f -not -name '*.pyc' -print0 | sort -z \
        | xargs -0 sha256sum | sha256sum)
    have=$(cat "$VENV/.sources" 2>/dev/null || true)
    if [ "$want" != "$have" ]; then
        say "installing the project into $VENV"
        rm -f "$VENV/.sources"
        pip_install --no-deps --force-reinstall "$ROOT"
        printf '%s\n' "$want" >"$VENV/.sources"
    fi
    flock -u 9
    exec 9>&-
    chmod a+rx "$base"
    chmod -R a+rX "$VENV"
}

# The project is copied first: building writes into its folder, and the caller's may be somebody else's.
pip_install() {
    local copy log argument arguments=()
    copy=$(mktemp -d); log=$(mktemp)
    mkdir "$copy/project"
    (cd "$ROOT" && tar -cf - --exclude=__pycache__ pyproject.toml README.md appliance archive) | tar -xf - -C "$copy/project"
    for argument in "$@"; do arguments+=("${argument/#"$ROOT"/"$copy/project"}"); done
    if ! (umask 022; "$VENV/bin/pip" install --disable-pip-version-check "${arguments[@]}") >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "pip could not install the project's requirements; its whole output is in $log"
    fi
    rm -rf "$copy" "$log"
}

# What the box and the archive need at run time, and what builds PyAudio and systemd-python, which have no wheels
RUN_PACKAGES=(python3-venv python3-dev gcc libc6-dev pkg-config portaudio19-dev libasound2-dev libsystemd-dev mosquitto espeak-ng util-linux faketime)
# What checking a package needs: every requirement of it has a wheel
VERIFY_PACKAGES=(python3-venv)
# What only the tests need
TEST_PACKAGES=(nginx-light haproxy caddy mosquitto-clients flac age unzip jq openssl sox chromium chromium-driver systemd udev alsa-utils mount e2fsprogs procps gettext device-tree-compiler apt-utils gpg gpg-agent ngspice postgresql ansible-core)
