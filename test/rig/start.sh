#!/bin/sh
# start.sh: boots the rig: a libvirtd of its own and four real guests with patterned load. `stop.sh` ends it.
# Exit code 77, with a line that says why, where the rig cannot run. Needs root.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"

[ "$(id -u)" = 0 ] || skip "needs root"
for tool in libvirtd virsh qemu-system-x86_64 qemu-img cpio busybox unshare; do
  command -v $tool >/dev/null || skip "$tool is not installed; run test/rig/install.sh"
done
unshare -m true 2>/dev/null || skip "may not make a mount namespace (needs CAP_SYS_ADMIN)"
cgroup=/sys/fs/cgroup
if [ -d $cgroup/cpu ]; then
  cgroup=$cgroup/cpu
else
  grep -qw cpu $cgroup/cgroup.controllers 2>/dev/null || skip "no cpu cgroup controller, so no CPU quota"
fi
mkdir $cgroup/foresize-rig-probe 2>/dev/null && rmdir $cgroup/foresize-rig-probe || skip "may not make a cgroup"
[ -c /dev/net/tun ] || skip "no /dev/net/tun, so no guest with a network"
# libvirtd refuses to own directories others may write.
umask 022
mkdir -p "$RIG" "$RIG/etc" "$RIG/run" "$RIG/lib" "$RIG/cache" "$RIG/log"
: >"$RIG/nokvm"
sh "$here/guest.sh"
if [ ! -s "$RIG/accel" ]; then
  # That /dev/kvm opens proves little under nested virtualisation: only a guest that boots does.
  if [ -w /dev/kvm ] && timeout 15 qemu-system-x86_64 -accel kvm -machine q35 -cpu qemu64 -m 128 -display none \
    -nodefaults -no-reboot -serial stdio -kernel "$RIG/vmlinuz" -initrd "$RIG/initrd.gz" \
    -append 'console=ttyS0 quiet panic=-1' </dev/null 2>/dev/null | grep -q -m 1 GUEST-READY; then
    echo kvm >"$RIG/accel"
  else
    echo qemu >"$RIG/accel"
  fi
fi
cat >"$RIG/etc/qemu.conf" <<'C'
user = "root"
group = "root"
security_driver = "none"
# Without udev there is no /dev to copy into a domain's own; the rig's guests are trusted.
namespaces = []
# QEMU writes its log itself: no virtlogd needed.
stdio_handler = "file"
C
cat >"$RIG/etc/libvirtd.conf" <<C
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_ro_perms = "0777"
unix_sock_rw_perms = "0770"
log_outputs = "3:file:$RIG/log/libvirtd.log"
C
sh "$here/libvirtd.sh" start

vm() { # application, user, bounds
  echo "<foresize:vm xmlns:foresize='https://foresize.dev/xmlns/domain/1' application='$1' user='$2'>$3</foresize:vm>"
}
boot() {
  rig_virsh domstate "$1" >/dev/null 2>&1 && return
  n=0
  for letter in a b c; do
    n=$((n + 1))
    [ $n -gt "$5" ] || qemu-img create -q -f qcow2 "$RIG/$1-$letter.qcow2" 64M
  done
  rm -f "$RIG/$1.log"
  sh "$here/domain.sh" "$@" >"$RIG/$1.xml"
  rig_virsh create "$RIG/$1.xml" >/dev/null
}
cpu="<foresize:cpu min='0.1'/>"
disk="<foresize:diskIo min='65536' max='67108864'/>"
network="<foresize:network min='65536' max='12500000'/>"
# Peak demand stays near 150 % of one core, so that two cores do not make pressure of their own.
boot rig-web 256 1 3 1 none "$(vm shop alice "$cpu$disk")" 'load.period=60 load.cpu=10,20,50,20 load.mem=8'
boot rig-db 256 1 2 2 none "$(vm shop bob "$cpu$disk")" \
  'load.period=60 load.cpu=10,25,10,5 load.mem=16,48,96,48 load.iokb=1024'
boot rig-net 192 1 2 1 tap "$(vm relay carol "$cpu$network")" \
  'load.period=60 load.cpu=5,10,5,10 load.netkb=256'
boot rig-unlisted 160 1 1 1 none '' 'load.period=60 load.cpu=5'

for name in rig-web rig-db rig-net rig-unlisted; do
  n=0
  until grep -q GUEST-READY "$RIG/$name.log" 2>/dev/null; do
    n=$((n + 1))
    [ $n -lt 600 ] || { echo "rig: $name did not boot; see $RIG/$name.log" >&2; exit 1; }
    sleep 0.2
  done
done
echo "rig: ready ($(cat "$RIG/accel")): $RIG_URI"
