#!/usr/bin/env bash
# Figures over far hosts: network namespaces on this machine, joined by links with delay, rate and loss (link.c).
# Needs root, Linux, iproute2, gcc, openssh-server, rsync, wget, rclone and a built viaduct. Prints one line per command: seconds, and
# Mbit/s for files. Slow: some ten minutes.
#
#   bench/far/run.sh [tree] [http] [lossy] [fat] [routes] [speed] [near]      default: all
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
viaduct=(node "$here/../../dist/cli/main.js")
work=$(mktemp -d "${TMPDIR:-/tmp}/viaduct-far.XXXXXX")
rounds=${ROUNDS:-3}
pids=()
namespaces=()

cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for ns in "${namespaces[@]}"; do
    ip netns pids "$ns" 2>/dev/null | xargs -r kill 2>/dev/null || true
    ip netns del "$ns" 2>/dev/null || true
  done
  pids=() namespaces=()
}
trap 'cleanup; rm -rf "$work"' EXIT
gcc -O2 -o "$work/link" "$here/link.c"

host() { # NAME
  ip netns add "$1"
  ip -n "$1" link set lo up
  namespaces+=("$1")
}

links=0
link() { # FROM TO DELAY_MS RATE_MBIT LOSS_PERCENT [CONGESTION]: the peer's address at FROM is 10.99.N.2
  links=$((links + 1))
  local n=$links
  ip -n "$1" tuntap add dev "r$n" mode tun
  ip -n "$2" tuntap add dev "l$n" mode tun
  "$work/link" "$1" "r$n" "$2" "l$n" "$3" "$4" "$5" & pids+=($!)
  ip -n "$1" addr add "10.99.$n.1" peer "10.99.$n.2" dev "r$n"
  ip -n "$2" addr add "10.99.$n.2" peer "10.99.$n.1" dev "l$n"
  ip -n "$1" link set "r$n" mtu 1500 txqueuelen 2000 up
  ip -n "$2" link set "l$n" mtu 1500 txqueuelen 2000 up
  if [ -z "${6:-}" ]; then return; fi
  ip -n "$1" route replace "10.99.$n.2" dev "r$n" src "10.99.$n.1" congctl "$6"
  ip -n "$2" route replace "10.99.$n.1" dev "l$n" src "10.99.$n.2" congctl "$6"
}

run_at() { # HOST COMMAND…
  local at=$1
  shift
  ip netns exec "$at" "$@"
}

node_at() { # HOST
  XDG_STATE_HOME=$work/state-$1 run_at "$1" "${viaduct[@]}" server 12000 --host 0.0.0.0 --root "$work/served" \
    --allow-hop 10.99.0.0/16 >"$work/log-$1" 2>&1 & pids+=($!)
}

started() { sleep 2; } # For the nodes to listen.

line_of() { # HOSTS DELAY RATE LOSS [CONGESTION]: far-1 … far-HOSTS, nodes at all but the first; sets $where
  cleanup
  links=0
  for ((k = 1; k <= $1; k++)); do host "far-$k"; done
  where=http://
  for ((k = 1; k < $1; k++)); do
    link "far-$k" "far-$((k + 1))" "$2" "$3" "$4" "${5:-}"
    node_at "far-$((k + 1))"
    if [ "$k" -gt 1 ]; then where+=@; fi
    where+=10.99.$k.2:12000/
  done
  started
}

timed() { # NAME COMMAND…: seconds, and Mbit/s of $file if it is set
  local name=$1 from to
  shift
  from=$(date +%s%N)
  "$@" >"$work/out" 2>&1 || { echo "$name: failed"; tail -3 "$work/out"; return; }
  to=$(date +%s%N)
  local size=0
  if [ -n "${file:-}" ]; then size=$(stat -c %s "$file"); fi
  awk -v name="$name" -v ns=$((to - from)) -v size="$size" 'BEGIN {
    printf "  %-36s %7.2f s", name, ns / 1e9
    if (size > 0) printf "  %7.1f Mbit/s", size * 8e3 / ns
    print "" }'
}

get_with() { XDG_STATE_HOME=$work/state-client run_at "$client" "${viaduct[@]}" get -q "$@"; }
get() { get_with --accept-new "$@"; }

tree() {
  echo "1,000 files of 4 KiB over 5 hosts, 20 ms one way per link"
  mkdir -p "$work/served/tree"
  for ((i = 0; i < 1000; i++)); do head -c 4096 /dev/urandom >"$work/served/tree/f$i"; done
  line_of 5 20 0 0
  client=far-1
  ssh-keygen -q -t ed25519 -N '' -f "$work/key"
  ssh-keygen -q -t ed25519 -N '' -f "$work/hostkey"
  printf 'HostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nPidFile none\nUsePAM no\nPermitRootLogin yes\n' \
    "$work/hostkey" "$work/key.pub" >"$work/sshd"
  printf 'Host *\n User root\n IdentityFile %s\n UserKnownHostsFile /dev/null\n StrictHostKeyChecking no\n LogLevel ERROR\n' \
    "$work/key" >"$work/ssh"
  mkdir -p /run/sshd
  for k in 2 3 4 5; do run_at "far-$k" /usr/sbin/sshd -D -f "$work/sshd" >/dev/null 2>&1 & pids+=($!); done
  started
  local jump=10.99.1.2,10.99.2.2,10.99.3.2 ssh="ssh -F $work/ssh -J 10.99.1.2,10.99.2.2,10.99.3.2"
  for ((r = 0; r < rounds; r++)); do
    rm -rf "$work/o"
    timed 'viaduct get -r' get -r "${where}tree/" -o "$work/o/"
    diff -rq "$work/served/tree" "$work/o"
    timed 'viaduct get -r, nothing to do' get -r "${where}tree/" -o "$work/o/"
    rm -rf "$work/o" && mkdir "$work/o"
    timed 'ssh -J … tar c | tar x' run_at far-1 bash -c \
      "ssh -F $work/ssh -J $jump 10.99.4.2 tar cf - -C $work/served/tree . | tar xf - -C $work/o"
    rm -rf "$work/o"
    timed 'rsync -a -e "ssh -J …"' run_at far-1 rsync -a -e "$ssh" "10.99.4.2:$work/served/tree/" "$work/o/"
    timed 'rsync, nothing to do' run_at far-1 rsync -a -e "$ssh" "10.99.4.2:$work/served/tree/" "$work/o/"
  done
}

http() {
  echo '200 files of 4 KiB over 5 hosts, 20 ms one way per link, to clients of HTTP'
  mkdir -p "$work/served/some"
  for ((i = 0; i < 200; i++)); do head -c 4096 /dev/urandom >"$work/served/some/f$i"; done
  line_of 5 20 0 0
  local url=http://10.99.1.2:12000/@10.99.2.2:12000/@10.99.3.2:12000/@10.99.4.2:12000/some/
  local wget=(wget -q -r -np -nH -R 'index.html*' -P "$work/o")
  for ((r = 0; r < rounds; r++)); do
    rm -rf "$work/o"
    timed 'wget -r' run_at far-1 "${wget[@]}" "$url"
    rm -rf "$work/o"
    timed 'wget -r, a connection for each file' run_at far-1 "${wget[@]}" --no-http-keep-alive "$url"
    [ "$(find "$work/o" -name 'f*' | wc -l)" = 200 ] || echo 'wget: files are missing'
    rm -rf "$work/o"
    timed 'rclone copy, 4 transfers' run_at far-1 rclone copy -q --config /dev/null --http-url "$url" :http: "$work/o"
    diff -rq "$work/served/some" "$work/o"
  done
}

one_file() { # NAME OPTION…
  local name=$1
  shift
  rm -f "$work/o1"
  file=$work/o1 timed "$name" get "$@" -o "$work/o1"
}

lossy() {
  truncate -s 100M "$work/served/100M"
  client=far-1
  for loss in 0 0.1 1; do
    echo "100 MiB over 5 hosts, 20 ms one way and 100 Mbit/s per link, cubic, $loss % loss"
    line_of 5 20 100 "$loss" cubic
    for ((r = 0; r < rounds; r++)); do
      if [ "$loss" != 1 ]; then one_file 'get --segments 1' --segments 1 "${where}100M"; fi
      one_file get "${where}100M"
    done
  done
}

fat() {
  echo '1.5 GB over one link of 500 Mbit/s and 160 ms'
  truncate -s 1500M "$work/served/1500M"
  line_of 2 80 500 0
  client=far-1
  one_file 'get --segments 1' --segments 1 "${where}1500M"
  for ((r = 0; r < rounds; r++)); do one_file get "${where}1500M"; done
}

routes() {
  echo '500 MB over two routes of 80 Mbit/s each'
  head -c 500000000 /dev/urandom >"$work/served/500M"
  cleanup
  links=0
  for name in far-c far-a far-b far-o; do host "$name"; done
  link far-c far-a 10 80 0 && link far-a far-o 10 80 0 && link far-c far-b 10 80 0 && link far-b far-o 10 80 0
  for name in far-a far-b far-o; do node_at "$name"; done
  started
  client=far-c
  local a=http://10.99.1.2:12000/@10.99.2.2:12000/500M b=http://10.99.3.2:12000/@10.99.4.2:12000/500M
  for ((r = 0; r < rounds; r++)); do
    one_file 'get, one route' "$a"
    one_file 'get --also, two routes' "$a" --also "$b"
    cmp "$work/served/500M" "$work/o1"
  done
}

speed() {
  echo '5 hosts, 100 Mbit/s per link, but 40 Mbit/s to hop 3'
  cleanup
  links=0
  for ((k = 1; k <= 5; k++)); do host "far-$k"; done
  for ((k = 1; k < 5; k++)); do
    link "far-$k" "far-$((k + 1))" 5 "$([ "$k" = 3 ] && echo 40 || echo 100)" 0
    node_at "far-$((k + 1))"
  done
  started
  # Other hosts had these addresses before, with other keys.
  XDG_STATE_HOME=$work/state-trace run_at far-1 "${viaduct[@]}" trace --accept-new --speed \
    10.99.1.2:12000/@10.99.2.2:12000/@10.99.3.2:12000/@10.99.4.2:12000/ 2>/dev/null
}

near() {
  echo '5,000 files of 4 KiB from a node on the same machine, 16 transfers'
  mkdir -p "$work/served/many"
  for ((i = 0; i < 5000; i++)); do head -c 4096 /dev/urandom >"$work/served/many/f$i"; done
  cleanup
  host far-1
  node_at far-1
  started
  client=far-1
  # Each copy gets a folder of its own, and none is removed meanwhile: for five minutes ext4 passes over the inodes of files that
  # were deleted, one by one, for each new file.
  for ((r = 0; r < rounds; r++)); do
    sync
    timed 'viaduct get -r' get -r --transfers 16 http://127.0.0.1:12000/many/ -o "$work/o$r/"
    diff -rq "$work/served/many" "$work/o$r"
    sync
    timed 'viaduct get -r --plain' get_with -r --plain --transfers 16 http://127.0.0.1:12000/many/ -o "$work/p$r/"
    diff -rq "$work/served/many" "$work/p$r"
    sync
    timed 'rclone copy' run_at far-1 rclone copy -q --config /dev/null --transfers 16 --checkers 16 \
      --http-url http://127.0.0.1:12000/many/ :http: "$work/r$r"
    diff -rq "$work/served/many" "$work/r$r"
  done
}

mkdir -p "$work/served"
for part in "${@:-tree http lossy fat routes speed near}"; do
  for each in $part; do "$each"; done
done
