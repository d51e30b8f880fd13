#!/bin/bash
# Process 1 of the node's own pid, mount, network, uts and ipc namespaces. When it ends, for whatever reason, the kernel
# ends every process in them and drops their mounts, links, addresses, rules and routes: there is nothing to undo.
# In: the root folder as its argument (configs and certificates are there); BIN (the folder of the Kubernetes programs),
# NAME and the addresses in the environment; standard input from `up`, which writes one line "keep" when the node is
# ready. If `up` dies before that, its end of the pipe closes and this ends too.
set -euo pipefail
ROOT=$1
: "$BIN" "$NAME" "$NODE4" "$NODE6" "$PODS4" "$PODS6" "$SERVICES4" "$SERVICES6"
PKI=$ROOT/pki
exec 3<&0 </dev/null

hostname "$NAME"
mount --make-rshared /
mount -t overlay overlay -o "lowerdir=/var,upperdir=$ROOT/var/upper,workdir=$ROOT/var/work" /var
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/etcd
# The kubelet sets these; they are the machine's, not the namespace's.
mkdir -p /run/sysctl
for key in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  cat "/proc/sys/$key" >"/run/sysctl/${key//\//.}"
  mount --bind "/run/sysctl/${key//\//.}" "/proc/sys/$key"
done

echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
ip link set lo up
# No uplink and no default route: a packet for any other network has nowhere to go. The peer gives the link its carrier.
ip link add node0 type veth peer name node0-peer
ip link set node0-peer up
ip link set node0 up
ip addr add "$NODE4/24" dev node0
ip addr add "$NODE6/64" dev node0 nodad
# Without them the node's own processes get ENETUNREACH for a Service before kube-proxy's rules see the packet.
ip route add "$SERVICES4" dev node0 src "$NODE4"
ip -6 route add "$SERVICES6" dev node0 src "$NODE6"

# start NAME COMMAND…: in the background; its output in log/NAME, its exit status in ended/NAME if it ends.
start() {
  local name=$1
  shift
  { code=0; "$@" >"$ROOT/log/$name" 2>&1 || code=$?; echo "$code" >"$ROOT/ended/$name"; } 3<&- &
}

start containerd containerd --config "$ROOT/containerd.toml"
start etcd etcd --data-dir /run/etcd --unsafe-no-fsync --listen-client-urls http://127.0.0.1:2379 \
  --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
start kube-apiserver "$BIN/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --advertise-address="$NODE4" \
  --service-cluster-ip-range="$SERVICES4,$SERVICES6" --allow-privileged=true --profiling=false \
  --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --client-ca-file="$PKI/ca.crt" \
  --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" --cert-dir=/run/apiserver \
  --service-account-issuer=https://kubernetes.default.svc.cluster.local \
  --service-account-key-file="$PKI/accounts.pub" --service-account-signing-key-file="$PKI/accounts.key" \
  --kubelet-client-certificate="$PKI/apiserver-kubelet-client.crt" \
  --kubelet-client-key="$PKI/apiserver-kubelet-client.key" \
  --kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=InternalIP

KUBECTL=("$BIN/kubectl" --kubeconfig "$ROOT/admin.kubeconfig" --cache-dir /run/kubectl)
{
  until "${KUBECTL[@]}" get --raw /readyz >/dev/null 2>&1; do sleep 0.1; done
  touch "$ROOT/apiserver-ready"
  start kube-controller-manager "$BIN/kube-controller-manager" --kubeconfig="$ROOT/controller-manager.kubeconfig" \
    --leader-elect=false --kube-api-qps=1000 --kube-api-burst=2000 --use-service-account-credentials \
    --cluster-cidr="$PODS4,$PODS6" --service-cluster-ip-range="$SERVICES4,$SERVICES6" --allocate-node-cidrs=false \
    --root-ca-file="$PKI/ca.crt" --service-account-private-key-file="$PKI/accounts.key" \
    --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key" \
    --flex-volume-plugin-dir=/var/lib/kubelet/volumeplugins --cert-dir=/run/controller-manager
  start kube-scheduler "$BIN/kube-scheduler" --kubeconfig="$ROOT/scheduler.kubeconfig" --leader-elect=false \
    --cert-dir=/run/scheduler
  start kubelet "$BIN/kubelet" --config="$ROOT/kubelet.json" --kubeconfig="$ROOT/kubelet.kubeconfig" \
    --hostname-override="$NAME" --node-ip="$NODE4,$NODE6" --root-dir=/var/lib/kubelet --cert-dir=/run/kubelet
  start kube-proxy "$BIN/kube-proxy" --config="$ROOT/kube-proxy.json" --hostname-override="$NAME"
  wait
} 3<&- &

{ read -r word <&3 && [ "$word" = keep ]; } || exit 1
exec 3<&-
while :; do
  sleep 3600 &
  wait $! || true
done
