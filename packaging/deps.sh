#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages (12 and 13) that building, testing or linting needs and that are missing.
# Usage: deps.sh build|test|lint...
set -eu

# The one package whose name the two do not share.
tcti=libtss2-tcti-swtpm0
! grep -q 'VERSION_CODENAME=bookworm' /etc/os-release && tcti=libtss2-tcti-swtpm0t64

# Only where the distribution has it: what a test does without, and says so.
known() {
	! apt-cache show "$1" >/dev/null 2>&1 || echo "$1"
}

for what in "$@"; do
	case $what in
	build) set -- "$@" gcc libc6-dev meson ninja-build pkg-config libssl-dev libevent-dev \
		libcurl4-openssl-dev libjansson-dev libcyaml-dev libyaml-dev libsqlite3-dev \
		libsystemd-dev libcmocka-dev libp11-kit-dev ;;
	test) set -- "$@" python3-pytest python3-pytest-xdist python3-cryptography python3-asn1crypto python3-jsonschema \
		python3-prometheus-client gnutls-bin openssl curl default-jdk-headless libbcpkix-java \
		ca-certificates scep strongswan-pki libstrongswan-extra-plugins certmonger softhsm2 opensc p11-kit p11-kit-modules \
		dbus-daemon fish haproxy nginx procps strace swtpm tpm2-openssl tpm2-tools "$tcti" zsh \
		$(known python3-openapi-spec-validator) ;;
	lint) set -- "$@" clang libclang-rt-dev clang-format clang-tidy mandoc git python3 ;;
	*) echo "deps.sh: no such set: $what" >&2; exit 2 ;;
	esac
	shift
done

missing=
for package in "$@"; do
	dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "These packages are missing; install them as root:$missing" >&2
		exit 1
	}
	as_root=sudo
fi
echo "Installing:$missing"
log=$(mktemp)

# Some are servers, which nobody asked to be started: tests start their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap '$as_root rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
	$as_root chmod 755 $policy
fi
apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@" >>"$log" 2>&1
}
# shellcheck disable=SC2086 # a list of words
if apt install --no-install-recommends $missing ||
	{ apt update && apt install --no-install-recommends $missing; }; then
	rm -f "$log"
else
	cat "$log" >&2
	rm -f "$log"
	exit 1
fi
