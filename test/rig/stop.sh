#!/bin/sh
# stop.sh [--keep]: ends the rig's guests and its libvirtd, and removes $RIG; --keep leaves the guest image there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
[ -d "$RIG" ] || exit 0
if [ -s "$RIG/etc/libvirtd.conf" ] && sh "$here/libvirtd.sh" start; then
  for name in $(rig_virsh list --name); do rig_virsh destroy "$name" >/dev/null || true; done
  for name in $(rig_virsh list --inactive --name); do rig_virsh undefine "$name" >/dev/null || true; done
  sh "$here/libvirtd.sh" stop
fi
if [ "${1-}" = --keep ]; then
  rm -rf "$RIG/etc" "$RIG/run" "$RIG/lib" "$RIG/cache" "$RIG/log" "$RIG"/rig-*
else
  rm -rf "$RIG"
fi
