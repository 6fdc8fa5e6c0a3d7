#!/bin/sh
# libvirtd.sh start|stop|kill: a libvirtd of the rig's own, in a mount namespace where libvirt's directories are
# the rig's. Guests live on while it is down, as they do on a real host.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"

start() {
  libvirtd_alive && return
  rm -f "$RIG_PID"
  # Where /dev/kvm exists but does not work, libvirt probes it anew at every domain start, for a minute. A file that
  # even root cannot write tells it that there is none.
  hide=
  [ "$(cat "$RIG/accel")" = kvm ] || [ ! -e /dev/kvm ] || hide='mount --bind "$RIG/nokvm" /dev/kvm; mount -o remount,bind,ro /dev/kvm;'
  mkdir -p /etc/libvirt /run/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt
  export RIG RIG_PID
  unshare -m sh -ec "$hide"'
    mount --bind "$RIG/etc" /etc/libvirt
    mount --bind "$RIG/run" /run/libvirt
    mount --bind "$RIG/lib" /var/lib/libvirt
    mount --bind "$RIG/cache" /var/cache/libvirt
    mount --bind "$RIG/log" /var/log/libvirt
    exec libvirtd -d -f /etc/libvirt/libvirtd.conf -p "$RIG_PID"'
  n=0
  until rig_virsh version >/dev/null 2>&1; do
    n=$((n + 1))
    [ $n -lt 100 ] || { echo "rig: libvirtd does not answer; see $RIG/log/libvirtd.log" >&2; exit 1; }
    sleep 0.2
  done
}

# $1: the signal. TERM is an orderly end; KILL is a crash.
stop() {
  libvirtd_alive || return 0
  pid=$(cat "$RIG_PID")
  kill "-$1" "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  rm -f "$RIG_PID"
}

case ${1-} in
  start) start ;;
  stop) stop TERM ;;
  kill) stop KILL ;;
  *) echo "usage: $0 start|stop|kill" >&2; exit 2 ;;
esac
