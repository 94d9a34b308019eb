#!/bin/bash
# Says where the CPU time of a recorded run went: by program, and within the archiver by library and by method.
#
#   BENCH_PERF=/tmp/bench.perf bench/run.sh --rounds 1 --only Bundle --archive-only --output /tmp/bench
#   bench/profile.sh /tmp/bench.perf [METHODS]      (25)
#
# A sample of the archiver is counted for the innermost frame of a library that is named below: what the runtime, the C library and the kernel do
# on a library's behalf is the library's. Counted is the longest stretch in which the archiver worked: no start, no warm-up, no making of chats.
set -euo pipefail
case ${1:-} in ''|-h|--help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2;; esac
command -v perf >/dev/null || { echo "please install perf (apt-get install linux-perf)" >&2; exit 1; }
perf script -i "$1" -F comm,tid,time,ip,sym,dso 2>/dev/null | awk -v most="${2:-25}" '
  BEGIN { RS = ""; FS = "\n" }
  {
    match($1, /[0-9]+\.[0-9]+:/); time = substr($1, RSTART, RLENGTH) + 0
    program = $1 ~ /^ *(\.NET|bench|archiver)/ ? "archiver" : $1 ~ /^ *postgres/ ? "postgres" : $1 ~ /^ *(psql|gzip)/ ? "floor" : $1 ~ /^ *swapper/ ? "idle" : "S3 server and system"
    n++; times[n] = time; programs[n] = program; library[n] = method[n] = ""
    if (program != "archiver") next
    library[n] = $1 ~ /Tiered Com/ ? "(compiling)" : "(runtime)"
    for (line = 2; line <= NF; line++)
      if (match($line, /\[(Archiver\.Core|AWSSDK\.Core|AWSSDK\.S3|Npgsql|Polly\.Core|System\.Net\.Http|System\.Net\.Sockets|System\.IO\.Compression|System\.Text\.Json)\] [^(]*::[^([]*/)) {
        name = substr($line, RSTART + 1, RLENGTH - 1); split(name, part, "] ")
        library[n] = part[1]; method[n] = part[1] " " part[2]
        break
      }
    if (library[n] == "Archiver.Core") {
      if (!begin || time - times[end] > 1) begin = n
      end = n
      if (!last || times[end] - times[begin] > times[last] - times[first]) { first = begin; last = end }
    }
  }
  END {
    if (!last) { print "no method of Archiver.Core in it: record with BENCH_PERF, which names what the runtime compiles" > "/dev/stderr"; exit 1 }
    for (i = first; i <= last; i++) { all++; by[programs[i]]++; if (programs[i] == "archiver") { ours++; of[library[i]]++; if (method[i] != "") at[method[i]]++ } }
    print "of all cores, by program:"; show(by, all, 9)
    print "\nof the archiver, by library:"; show(of, ours, 12)
    print "\nof the archiver, by method:"; show(at, ours, most)
  }
  function show(counts, total, limit,   key, best, shown) {
    for (shown = 0; shown < limit; shown++) {
      best = ""
      for (key in counts) if (best == "" || counts[key] > counts[best]) best = key
      if (best == "") return
      printf "%6.1f %%  %s\n", 100 * counts[best] / total, best
      delete counts[best]
    }
  }'
