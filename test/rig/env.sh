# Sourced by the rig's scripts. Everything the rig keeps lies under $RIG; the host's own libvirt is not touched.
RIG=${FORESIZE_RIG_DIR:-/tmp/foresize-rig}
RIG_URI="qemu+unix:///system?socket=$RIG/run/libvirt-sock"
RIG_PID=$RIG/libvirtd.pid
# Exit code for "cannot run here", as automake's test drivers have it.
SKIP=77

skip() {
  echo "rig: SKIPPED: $*" >&2
  exit $SKIP
}

rig_virsh() {
  virsh -q -c "$RIG_URI" "$@"
}

libvirtd_alive() {
  [ -s "$RIG_PID" ] && kill -0 "$(cat "$RIG_PID")" 2>/dev/null
}
