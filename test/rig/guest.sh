#!/bin/sh
# guest.sh: builds the guest's kernel and initramfs in $RIG from Debian's packages, once.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
[ -s "$RIG/vmlinuz" ] && [ -s "$RIG/initrd.gz" ] && [ "$RIG/initrd.gz" -nt "$here/guest-init" ] && exit 0

work=$RIG/build
rm -rf "$work"
mkdir -p "$work/root/bin" "$work/root/lib" "$work/root/proc" "$work/root/sys" "$work/root/dev" "$work/root/tmp"
cd "$work"
if ! ls "$RIG"/linux-image-*.deb >/dev/null 2>&1; then
  # The meta package names the current kernel.
  kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[^ ]*\).*/\1/p' | head -n 1)
  [ -n "$kernel" ] || skip "apt knows no linux-image-cloud-amd64; run apt-get update"
  # apt-get download drops to the _apt user, who must be able to write here.
  (cd "$RIG" && apt-get -o APT::Sandbox::User=root download "$kernel") || skip "cannot download $kernel"
fi
dpkg -x "$RIG"/linux-image-*.deb "$work/kernel"
cp "$work"/kernel/boot/vmlinuz-* "$RIG/vmlinuz"
for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_balloon \
  virtio_blk failover net_failover virtio_net; do
  file=$(find "$work/kernel/lib/modules" -name "$module.ko*" | head -n 1)
  # What is not a module is built in.
  [ -n "$file" ] || continue
  case $file in
    *.xz) xz -dc "$file" >"$work/root/lib/$module.ko" ;;
    *.zst) zstd -dqc "$file" >"$work/root/lib/$module.ko" ;;
    *) cp "$file" "$work/root/lib/$module.ko" ;;
  esac
done
cp /bin/busybox "$work/root/bin/busybox"
cp "$here/guest-init" "$work/root/init"
chmod 755 "$work/root/init" "$work/root/bin/busybox"
(cd "$work/root" && find . | cpio --quiet -o -H newc | gzip -1) >"$RIG/initrd.gz"
rm -rf "$work"
