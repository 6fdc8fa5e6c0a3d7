#!/bin/sh
# Installs what the rig needs from Debian's packages. Needs root.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends \
  libvirt0 libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients \
  qemu-system-x86 qemu-utils busybox-static cpio util-linux iproute2 faketime
