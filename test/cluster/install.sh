#!/bin/sh
# Installs what `make cluster-up` needs on Debian, as root. Go comes by itself: the version in kubernetes/go.mod or newer.
# No service is started or enabled for the cluster: it runs its own containerd and etcd.
set -eu
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "install.sh needs Debian and root" >&2; exit 69; }
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends --no-upgrade busybox-static conntrack containerd containernetworking-plugins \
  etcd-server iproute2 iptables nftables openssl runc
