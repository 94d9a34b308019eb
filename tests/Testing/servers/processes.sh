# Sourced, not run: what postgres.sh and rgw.sh share about processes, ports and signals. CMD is the command that the script was given.

# shellcheck shell=bash
# A living process's arguments, a line each; fails when it has ended.
# While a process executes another program, as setsid executes the server, the kernel shows none. That is waited out: it is not the end.
command_line() { # PID
  local text i
  for i in $(seq 500); do
    case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in Z*|'') return 1;; esac
    text=$({ tr '\0' '\n' <"/proc/$1/cmdline"; } 2>/dev/null)
    [ -z "$text" ] || { printf '%s\n' "$text"; return 0; }
    sleep .01
  done
  return 1
}

port_busy() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_port() { # below the ephemeral range, so that no client socket takes it meanwhile
  local p i
  for i in $(seq 200); do p=$((20000 + (RANDOM * 32768 + RANDOM) % 10000)); port_busy "$p" || { echo "$p"; return 0; }; done
  return 1
}

# Between the two a signal only leaves a note.
LATE=
hold_signals() { case $CMD in up|run) trap 'LATE=130' INT; trap 'LATE=143' TERM; trap 'LATE=129' HUP;; esac; }
take_signals() { case $CMD in up|run) trap 'exit 130' INT; trap 'exit 143' TERM; trap 'exit 129' HUP; [ -z "$LATE" ] || exit "$LATE";; esac; }
