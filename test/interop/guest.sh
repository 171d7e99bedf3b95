# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# An emulated machine with network cards that DPDK drives by PCI: QEMU translates every
# instruction, so no hardware is needed, and nothing there says how fast anything is.
#
# Its kernel is Debian's, from a package that is fetched and unpacked, not installed.  Its
# root is made here: busybox, the modules of vfio, our programs with their libraries.  The
# cards are its only way out besides two serial lines: the console, which is a log, and a
# line on which it is told what to do:
#
#   guest SECONDS 'COMMAND'    runs it there; what it prints is in $work/guest.said

guest_dir=$build/test/interop/guest # what was fetched stays for the next time
guest_modules=(vfio irqbypass vfio_virqfd vfio_iommu_type1 vfio-pci-core vfio-pci)

guest_need() {
	command -v qemu-system-x86_64 >/dev/null || skip "needs qemu-system-x86_64 (package qemu-system-x86)"
	need_cmd busybox cpio dpkg-deb
	guest_kernel || skip "no kernel for the emulated machine: apt-get download linux-image-cloud-amd64 failed"
}

# ---- the kernel -------------------------------------------------------------

have_kernel() {
	vmlinuz=$(ls "$guest_dir"/boot/vmlinuz-* 2>/dev/null) && [ -f "$vmlinuz" ]
}

# The package with the kernel itself has a version in its name; the one without depends on it.
guest_kernel() {
	have_kernel || kernel_fetch || { apt_update && kernel_fetch; }
}

apt_update() { apt-get -qq -o DPkg::Lock::Timeout=60 update >"$work/apt.log" 2>&1; }

kernel_fetch() {
	local package
	package=$(apt-cache show --no-all-versions linux-image-cloud-amd64 2>/dev/null |
		sed -n 's/^Depends:.*\(linux-image-[^ ,]*\).*/\1/p')
	[ -n "$package" ] || return 1
	mkdir -p "$guest_dir/deb" || return 1
	(cd "$guest_dir/deb" && timeout 60 apt-get -qq download "$package") >"$work/apt.log" 2>&1 &&
		dpkg-deb --fsys-tarfile "$guest_dir"/deb/"$package"_*.deb |
		tar -x -C "$guest_dir" --wildcards './boot/vmlinuz-*' '*/vfio*.ko*' '*/irqbypass.ko*'
	rm -rf "$guest_dir/deb"
	find "$guest_dir/lib" -name '*.ko.xz' -exec xz -d {} + 2>/dev/null
	have_kernel
}

# ---- its root ---------------------------------------------------------------

# A program of ours, not the script that libtool puts before it.
program_of() { # name
	if [ -x "$build/apps/.libs/$1" ]; then
		echo "$build/apps/.libs/$1"
	else
		echo "$build/apps/$1"
	fi
}

# What DPDK loads by itself; nothing where it is linked in.
drivers_for_pci() {
	local d
	for d in bus_pci bus_vdev mempool_ring "$@"; do
		find /usr/lib/*/dpdk /usr/local/lib -name "librte_$d.so.*" 2>/dev/null
	done
}

# Files at the same place as here, and every library they load.  Links stay links: DPDK
# would load a driver twice that is there under two names.
root_take() { # files...
	local path real
	{
		printf '%s\n' "$@"
		LD_LIBRARY_PATH=$build/.libs ldd "$@" 2>/dev/null | grep -o '/[^ :]* (' | tr -d ' ('
	} | sort -u | while IFS= read -r path; do
		real=$(realpath "$path") && mkdir -p "$root${path%/*}" "$root${real%/*}" && cp "$real" "$root$real" || return 1
		[ "$real" = "$path" ] || ln -sf "$real" "$root$path"
	done
}

guest_root() { # drivers of DPDK's...
	local module modules=()
	root=$work/root
	mkdir -p "$root"/{bin,dev,proc,sys,tmp,run,var,lib/modules}
	ln -s ../run "$root/var/run"
	cp "$(command -v busybox)" "$root/bin/busybox"
	for module in "${guest_modules[@]}"; do
		# One that is not there is part of the kernel.
		find "$guest_dir/lib/modules" -name "$module.ko" -exec cp {} "$root/lib/modules" \;
		[ ! -f "$root/lib/modules/$module.ko" ] || modules+=("$module")
	done
	# shellcheck disable=SC2046 # a list of files
	root_take "$(program_of epserver)" "$(program_of epwget)" $(drivers_for_pci "$@") &&
		cp "$(program_of epserver)" "$(program_of epwget)" "$root/bin" &&
		cp -r "$work/www" "$root/www" && guest_init "${modules[*]}" >"$root/init" && chmod 755 "$root/init" || return 1
	(cd "$root" && find . | cpio --quiet -o -H newc) >"$work/root.cpio" && rm -rf "$root"
}

# The first process there: all cards to vfio-pci, then what it is told, a line each.
guest_init() { # modules
	cat <<-INIT
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		export PATH=/bin LD_LIBRARY_PATH=$build/.libs
		mount -t proc proc /proc
		mount -t sysfs sys /sys
		mount -t devtmpfs dev /dev
		for m in $1; do insmod /lib/modules/\$m.ko; done
		for d in /sys/bus/pci/devices/*; do
			case \$(cat \$d/class) in 0x0200*) ;; *) continue ;; esac
			echo vfio-pci >\$d/driver_override
			echo \${d##*/} >/sys/bus/pci/drivers_probe
		done
		echo 320 >/proc/sys/vm/nr_hugepages
		stty -F /dev/ttyS1 raw -echo
		exec </dev/ttyS1 >/dev/ttyS1
		echo "= 0"
		while read -r line; do
			eval "\$line" </dev/null 2>&1
			echo "= \$?"
		done
	INIT
}

# ---- running ----------------------------------------------------------------

# The machine, on the TAP that is there.
guest_boot() { # seconds, namespace, arguments of QEMU...
	local seconds=$1 space=$2
	shift 2
	mkfifo "$work/line.in" "$work/line.out" || return 1
	exec 7<>"$work/line.in" 8<>"$work/line.out"
	# Its end is bounded, whatever becomes of this script.
	start qemu "$space" timeout --kill-after=5 150 qemu-system-x86_64 -accel tcg,thread=multi \
		-machine q35 -cpu max -smp 2 -m 1024 -nodefaults -no-user-config -no-reboot -display none \
		-kernel "$vmlinuz" -initrd "$work/root.cpio" \
		-append "console=ttyS0 quiet panic=-1 nokaslr mitigations=off intel_iommu=on iommu=pt" \
		-chardev "file,id=console,path=$work/console.log" -serial chardev:console \
		-chardev "pipe,id=line,path=$work/line" -serial chardev:line \
		-device intel-iommu,intremap=on,caching-mode=on "$@"
	guest_hears "$seconds"
}

# Up to the line that says how it ended.
guest_hears() { # seconds
	local line until=$((SECONDS + $1))
	: >"$work/guest.said"
	while alive qemu && [ $SECONDS -lt $until ]; do
		IFS= read -r -t 1 -u 8 line || continue
		case $line in
		'= '*) return "${line#= }" ;;
		esac
		printf '%s\n' "$line" >>"$work/guest.said"
	done
	return 124
}

guest() { # seconds, command
	tr '\n' ';' <<<"$2" >&7 && echo >&7
	guest_hears "$1"
}

# A file of ours, to be found at the same place there.
guest_put() { # file
	guest 10 "mkdir -p ${1%/*}; : >$1"
	local line
	while IFS= read -r line; do
		guest 5 "echo '$line' >>$1" || return 1
	done <"$1"
}

# What a program there has said.
guest_get() { # name
	guest 20 "cat /tmp/$1.log" && cp "$work/guest.said" "$work/$1.log"
}

guest_off() {
	printf 'poweroff -f\n' >&7
	finished qemu "$1"
}
