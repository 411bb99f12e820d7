#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Serves a demonstration CA in the foreground: `make serve`. The first run makes configuration and CA under
# DATA; each run makes a fresh one-time challenge, and writes what a script needs to DATA/demo.env.
set -eu

fail() {
	echo "make serve: $*" >&2
	exit 1
}
# A value as a shell reads it back: as it is, where that will do.
word() {
	case $1 in
	*[!A-Za-z0-9/._~:=@%+,-]*) printf "'%s'" "$1" ;;
	*) printf '%s' "$1" ;;
	esac
}
check_port() { # check_port NAME VALUE
	case $2 in
	"" | *[!0-9]* | ??????*) fail "$1=$2: must be a port from 1 to 65535" ;;
	esac
	[ "$2" -ge 1 ] && [ "$2" -le 65535 ] || fail "$1=$2: must be a port from 1 to 65535"
}

root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-build}
case $build in /*) ;; *) build=$root/$build ;; esac
port=${PORT:-8080}
check_port PORT "$port"
tls_port=${TLS_PORT:-$((port + 363))}
check_port TLS_PORT "$tls_port"
address=${ADDRESS:-127.0.0.1}
mkdir -p "${DATA:-./demo}"
data=$(cd "${DATA:-./demo}" && pwd)
case $data in
*["'\"\\&|"]*) fail "DATA=$data: choose a path without quotes, backslash, & and |" ;;
esac
chmod 700 "$data"
config=$data/scepterd.yaml
socket=$data/admin.sock
ctl() { "$build/scepterctl" --socket "$socket" "$@"; }

# What it holds, and what others read there, is that one's.
! ctl status >/dev/null 2>&1 ||
	fail "a scepterd serves $data already: end it first, or choose another DATA"

case $address in
0.0.0.0) host=$(hostname -I 2>/dev/null | cut -d ' ' -f 1) && [ -n "$host" ] || host=127.0.0.1 ;;
::) host="[::1]" ;;
*:*) host="[$address]" ;;
*) host=$address ;;
esac
base=http://$host:$port

if [ ! -f "$data/est-password" ]; then
	(umask 077 && head -c 15 /dev/urandom | base64 | tr '+/' '-_' >"$data/est-password")
fi
# One of a time before EST is put aside; the CA and what it has issued stay.
if [ -f "$config" ] && ! grep -q 'protocol: est' "$config"; then
	mv "$config" "$config.old"
fi
if [ ! -f "$config" ]; then
	hash=$("$build/scepterctl" challenge hash --challenge-file "$data/est-password")
	sed -e "s|@DATA@|$data|g; s|@BASE@|$base|g; s|@HASH@|$hash|" "$root/packaging/demo.yaml" >"$config"
fi
# Where it listens is up to each start.
case $host in
127.0.0.1) names="[localhost, 127.0.0.1]" ;;
*) names="[localhost, 127.0.0.1, $(echo "$host" | tr -d '[]')]" ;;
esac
sed -i -e "/^    - name: tls$/,/^      tls:/{s|address: .*|address: \"$address\"|; s|port: .*|port: $tls_port|; s|names: \[[^]]*\]|names: $names|}" "$config"
sed -i -e "s|{name: plain, address: [^}]*}|{name: plain, address: \"$address\", port: $port}|" "$config"
"$build/scepterd" --config "$config" --check >/dev/null || exit

rm -f "$data/demo.env"
"$build/scepterd" --config "$config" 2>>"$data/scepterd.log" &
daemon=$!
trap 'kill -TERM $daemon 2>/dev/null || :' INT TERM HUP

tries=0
until ctl status >/dev/null 2>&1; do
	tries=$((tries + 1))
	if [ $tries -gt 100 ] || ! kill -0 $daemon 2>/dev/null; then
		echo "scepterd did not start; the end of $data/scepterd.log:" >&2
		tail -n 5 "$data/scepterd.log" >&2
		kill -TERM $daemon 2>/dev/null || :
		exit 1
	fi
	sleep 0.1
done

ctl ca show demo >/dev/null 2>&1 || {
	echo "Making the CA \"demo\": P-256, with an RA of RSA 2048"
	ctl ca init demo --subject "CN=Scepter Demo CA,O=Scepter" >/dev/null
}
(umask 077 && ctl challenge new --endpoint demo >"$data/challenge")
fingerprint=$(ctl ca show demo --pem | grep -v -e ----- | base64 -d | sha256sum | cut -d ' ' -f 1)

ctl ca show demo --pem >"$data/tls-ca.pem"

url=$base/scep/demo
est_url=https://$host:$tls_port/.well-known/est
(
	umask 077
	cat >"$data/demo.env.new" <<-END
		SCEP_URL=$url
		SCEP_LEGACY_URL=$base/scep/legacy
		MANUAL_SCEP_URL=$base/scep/manual
		CRL_URL=$base/crl/demo
		OCSP_URL=$base/ocsp/demo
		EST_URL=$est_url
		MANUAL_EST_URL=$est_url/manual
		EST_USER=device
		EST_PASSWORD=$(cat "$data/est-password")
		EST_PASSWORD_FILE=$(word "$data/est-password")
		TLS_CA=$(word "$data/tls-ca.pem")
		CA_FINGERPRINT=$fingerprint
		CHALLENGE=$(cat "$data/challenge")
		CHALLENGE_FILE=$(word "$data/challenge")
		ADMIN_SOCKET=$(word "$socket")
		CONFIG=$(word "$config")
		SCEPTER=$(word "$build/scepter")
		SCEPTERCTL=$(word "$build/scepterctl")
		PID=$daemon
	END
	mv "$data/demo.env.new" "$data/demo.env"
)

cat <<END

SCEP URL         $url
CA fingerprint   $fingerprint (SHA-256)
challenge        $(cat "$data/challenge") (for one device, once, within a day)

A certificate for this machine, typed into another terminal:

  $(word "$build/scepter") enrol --protocol scep --url $url \\
    --challenge-file $(word "$data/challenge") --ca-fingerprint $fingerprint \\
    --subject CN=device1 --key $(word "$data/device1.key") --cert $(word "$data/device1.pem") --ca $(word "$data/ca.pem")

The same by EST, over TLS:

  $(word "$build/scepter") enrol --protocol est --url $est_url \\
    --user device --challenge-file $(word "$data/est-password") --tls-ca $(word "$data/tls-ca.pem") \\
    --subject CN=device2 --key $(word "$data/device2.key") --cert $(word "$data/device2.pem")

Another challenge, and what became of a device:

  $(word "$build/scepterctl") --socket $(word "$socket") challenge new --endpoint demo
  $(word "$build/scepterctl") --socket $(word "$socket") cert list

The log is $data/scepterd.log; the same lines for scripts are in $data/demo.env. Ctrl-C ends it.
END

# The first wait ends with the signal, the second with the daemon.
status=0
wait $daemon || status=$?
while kill -0 $daemon 2>/dev/null; do
	status=0
	wait $daemon || status=$?
done
exit $status
