#!/bin/sh
# domain.sh NAME MEMORY_MIB VCPUS MAX_VCPUS DISKS NIC METADATA LOAD: prints the XML of a rig guest.
# DISKS is a number; NIC is `tap` or `none`; METADATA is XML for <metadata>, or empty; LOAD is for guest-init.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env.sh"
name=$1 memory=$2 vcpus=$3 max_vcpus=$4 disks=$5 nic=$6 metadata=$7 load=$8

disk_xml=
for letter in $(echo a b c | cut -d' ' -f"1-$disks"); do
  disk_xml="$disk_xml
    <disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/>
      <source file='$RIG/$name-$letter.qcow2'/><target dev='vd$letter' bus='virtio'/></disk>"
done
# A range set aside for benchmarks (RFC 2544), so that no host network is shadowed.
nic_xml=
[ "$nic" = none ] || nic_xml="
    <interface type='ethernet'><mac address='52:54:00:f0:5e:01'/><model type='virtio'/><target dev='rig-$nic'/>
      <source><ip address='198.18.77.1' family='ipv4' prefix='30'/></source></interface>"

cat <<E2
<domain type='$(cat "$RIG/accel")'>
  <name>$name</name>
  <metadata>$metadata</metadata>
  <memory unit='MiB'>$memory</memory>
  <vcpu placement='static' current='$vcpus'>$max_vcpus</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>$RIG/vmlinuz</kernel><initrd>$RIG/initrd.gz</initrd>
    <cmdline>console=ttyS0 quiet panic=-1 $load</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model></cpu>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>$disk_xml$nic_xml
    <serial type='file'><source path='$RIG/$name.log'/><target port='0'/></serial>
    <memballoon model='virtio'><stats period='1'/></memballoon>
  </devices>
</domain>
E2
