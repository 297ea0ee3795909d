# Makes the disk of the simulated box for deploy/vm-test; read after setup.sh and roots.sh. Everything stands below $GUEST
# and is named by what it was made from, so that nothing stale is ever used.
# Sets: GUEST (the folder), KERNEL (the guest's kernel), DISK (a disk with a Debian that has the hardware of a box, and
# none of our packages yet).

GUEST=$CACHE/guest
# dependencies: what our packages ask of Debian, without what they carry themselves
dependencies() {
    awk '/^[A-Z][A-Za-z-]*:/ { on = /^Depends:/ } on' "$ROOT/deploy/packages/debian/control" | sed 's/^Depends://' \
        | tr ',' '\n' | grep -v 'plainsight\|\$' | sed 's/[(|].*//; s/:any//; s/ //g' | grep . | sort -u | paste -sd,
}
# installed before, because apt takes long under emulation and the guest has no network: what our packages use and do not
# declare is missing there
GUEST_PACKAGES=systemd-sysv,systemd,udev,dbus,kmod,linux-image-amd64,initramfs-tools,zstd,apt,iproute2,procps
GUEST_PACKAGES+=,alsa-utils,busybox,e2fsprogs,overlayroot,qemu-guest-agent,systemd-timesyncd,python3-colorzero,$(dependencies)
BUILDER_PACKAGES=linux-headers-amd64,linux-source,gcc,make,libc6-dev,xz-utils,kmod

# fingerprint PATH...: one word for the contents of files and folders of the project
fingerprint() {
    (cd "$ROOT" && find "$@" -type f -not -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum) | sha256sum | cut -c1-12
}

# build_gpio_sim FOLDER: the simulated GPIO chip for the guest's kernel, and the program that plays the wiring
build_gpio_sim() {
    local out=$1 root=$CACHE/vm-builder
    trixie_root "$root" "$BUILDER_PACKAGES"
    local source kernel
    kernel=$(basename "$root"/lib/modules/*)
    # the headers must be those of the kernel that the guest has
    [ "$kernel" = "$KERNEL" ] || { rm -rf --one-file-system "$root"; trixie_root "$root" "$BUILDER_PACKAGES"; }
    kernel=$(basename "$root"/lib/modules/*)
    [ "$kernel" = "$KERNEL" ] || die "the mirror has headers of $kernel, the guest has $KERNEL; delete $CACHE/vm-root"
    say "building the simulated GPIO chip for $KERNEL"
    source=$(basename "$root"/usr/src/linux-source-*.tar.xz .tar.xz)
    local build=$root/build/gpio-sim
    rm -rf "$build"
    mkdir -p "$build"
    tar -xf "$root/usr/src/$source.tar.xz" -C "$build" --strip-components=3 "$source/drivers/gpio/gpio-sim.c" "$source/kernel/irq/irq_sim.c"
    cp "$ROOT"/tests/vm/gpio-sim/Kbuild "$ROOT"/tests/vm/guest/wiring.c "$build/"
    # a module may not reach into interrupt descriptors, and must say its license
    sed -i 's/handle_simple_irq(irq_to_desc(irqnum));/generic_handle_irq(irqnum);/' "$build/irq_sim.c"
    printf '#include <linux/module.h>\nMODULE_LICENSE("GPL");\n' >>"$build/irq_sim.c"
    # an output whose owner died keeps its level, as cmdline.txt chooses for the Pi's driver (persist_gpio_outputs=y)
    sed -i '/^static void gpio_sim_free/,/^}/s/__assign_bit(offset, chip->value_map,/if (test_bit(offset, chip->direction_map)) &/' "$build/gpio-sim.c"
    grep -q 'if (test_bit(offset, chip->direction_map)) __assign_bit' "$build/gpio-sim.c" || die "gpio-sim.c of $source is not what was expected"
    if ! in_root "$root" sh -c "cd /build/gpio-sim && make -C /lib/modules/$KERNEL/build M=/build/gpio-sim modules && gcc -O2 -Wall -o wiring wiring.c" >"$build/log" 2>&1; then
        tail -n 20 "$build/log" >&2
        die "the simulated GPIO chip could not be built; the whole output is in $build/log"
    fi
    mkdir -p "$out.new"
    cp "$build/gpio-sim.ko" "$build/irq_sim.ko" "$build/wiring" "$out.new/"
    mv "$out.new" "$out"
}

# locate_disk: sets KERNEL and DISK, if there is a root file system to make it from
locate_disk() {
    [ "$(cat "$CACHE/vm-root/.packages" 2>/dev/null)" = "$GUEST_PACKAGES" ] || return 1
    KERNEL=$(basename "$CACHE"/vm-root/lib/modules/*)
    HARDWARE=$(fingerprint tests/vm/guest tests/vm/gpio-sim deploy/lib/guest.sh)
    DISK=$GUEST/disk-$KERNEL-$(printf '%s %s' "$GUEST_PACKAGES" "$HARDWARE" | sha256sum | cut -c1-12).qcow2
}

# make_disk: sets DISK, and makes it if there is none yet
make_disk() {
    mkdir -p "$GUEST"
    # the initial RAM disk is made once, below, with what the simulated box needs
    INITRD=No trixie_root "$CACHE/vm-root" "$GUEST_PACKAGES"
    locate_disk
    [ ! -e "$DISK" ] || return 0
    local modules=$GUEST/gpio-sim-$KERNEL-$HARDWARE
    [ -d "$modules" ] || { rm -rf "$GUEST"/gpio-sim-*; build_gpio_sim "$modules"; }
    say "making the disk of the simulated box"
    rm -f "$GUEST"/disk-*
    local work=$GUEST/root unit
    rm -rf --one-file-system "$work"
    cp -a "$CACHE/vm-root" "$work"
    install -m 644 "$modules"/*.ko -Dt "$work/lib/modules/$KERNEL/updates/"
    install -m 755 "$modules/wiring" "$ROOT/tests/vm/guest/hardware" -Dt "$work/usr/local/lib/vm/"
    install -m 644 "$ROOT"/tests/vm/guest/*.py -t "$work/usr/local/lib/vm/"
    install -m 644 "$ROOT"/tests/vm/guest/*.service -t "$work/etc/systemd/system/"
    for unit in recorder courier enroll renew; do
        install -m 644 "$ROOT/tests/vm/guest/pi.conf" -D "$work/etc/systemd/system/plainsight-$unit.service.d/pi.conf"
    done
    install -m 644 "$ROOT/tests/vm/guest/emulated.conf" -Dt "$work/etc/systemd/system.conf.d/"
    echo 'options snd-aloop id=Microphone pcm_substreams=1' >"$work/etc/modprobe.d/vm.conf"
    printf 'snd-aloop\ndummy\n' >"$work/etc/modules-load.d/vm.conf"
    mkdir -p "$work/boot/firmware" "$work/packages"
    echo simulated-box >"$work/etc/hostname"
    printf '127.0.0.1 localhost simulated-box\n10.77.0.1 archive.district.example\n' >"$work/etc/hosts"
    printf '/dev/vda / ext4 defaults 0 1\n' >"$work/etc/fstab"
    rm -f "$work/etc/resolv.conf" "$work/etc/apt/sources.list" "$work"/etc/apt/sources.list.d/*
    sed -i 's/^MODULES=.*/MODULES=list/' "$work/etc/initramfs-tools/initramfs.conf"
    printf 'virtio_pci\nvirtio_blk\next4\n' >>"$work/etc/initramfs-tools/modules"
    in_root "$work" sh -ec "
        depmod $KERNEL
        update-initramfs -c -k $KERNEL
        systemctl enable vm-hardware vm-wiring vm-acked
        systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
            e2scrub_reap.service getty@tty1.service
        passwd -d root" >"$GUEST/log" 2>&1 || { tail "$GUEST/log" >&2; die "the disk could not be prepared"; }
    cp "$work/boot/vmlinuz-$KERNEL" "$work/boot/initrd.img-$KERNEL" "$GUEST/"
    truncate -s 6G "$GUEST/disk.raw"
    mke2fs -q -F -t ext4 -L root -d "$work" "$GUEST/disk.raw"
    rm -rf --one-file-system "$work"
    qemu-img convert -O qcow2 "$GUEST/disk.raw" "$DISK.new"
    rm "$GUEST/disk.raw"
    mv "$DISK.new" "$DISK"
}

# packages_folder VERSION: where our packages in this version are, or would be, built from the sources as they are
packages_folder() {
    echo "$GUEST/packages-$1-$(fingerprint appliance archive docs systemd firmware_config deploy/packages deploy/build-deb pyproject.toml README.md)"
}

# guest_packages VERSION: sets BUILT to that folder, and builds what is not there
guest_packages() {
    BUILT=$(packages_folder "$1")
    [ ! -d "$BUILT" ] || return 0
    rm -rf "$GUEST/packages-$1"-*
    "$ROOT/deploy/build-deb" -o "$BUILT.new" --arch amd64 --version "$1" >/dev/null
    mv "$BUILT.new" "$BUILT"
}
