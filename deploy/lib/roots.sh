# Shared by the commands that need a root file system of their own; read after setup.sh. Everything stands below $CACHE and
# can be deleted at any time.
# Sets: CACHE (the folder for what is expensive to make).

CACHE=/var/cache/plainsight
mkdir -p "$CACHE"

# mirror: the mirror that this machine's own apt takes Debian from
mirror() { apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1; }

# trixie_root FOLDER PACKAGES: a Debian trixie with these packages (commas between), made once for each list
trixie_root() {
    local folder=$1 packages=$2
    if [ "$(cat "$folder/.packages" 2>/dev/null)" = "$packages" ]; then return 0; fi
    say "making a Debian trixie in $folder (a minute)"
    rm -rf --one-file-system "$folder"
    local log; log=$(mktemp)
    if ! mmdebstrap --mode=root --variant=minbase --include="$packages" trixie "$folder" "$(mirror)" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -rf --one-file-system "$folder"
        die "mmdebstrap could not make it; its whole output is in $log"
    fi
    rm -f "$log"
    printf '%s' "$packages" >"$folder/.packages"
}

# in_root FOLDER COMMAND...: runs a command in a root, with processes and mounts of its own; nothing reaches the real root
in_root() {
    local folder=$1; shift
    [ -e "$folder/.packages" ] || die "$folder is not one of our roots"
    # the caller's folder for temporary files is none of the root's
    env -u TMPDIR unshare --mount --pid --fork --propagation private sh -ceu '
        mount -t proc proc "$0/proc"
        exec chroot "$0" "$@"' "$folder" "$@"
}
