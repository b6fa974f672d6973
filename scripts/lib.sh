#!/usr/bin/env bash
# Common ground of the scripts beside it: where things are, what is up to date, and how work is shown, timed and logged.
# Source it after `set -euo pipefail`. All it says goes to standard error: standard output belongs to the program behind.

root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
state=$root/.switchover
log=$state/logs/setup.log
# Where Debian's files are; tests put a made-up machine here.
sysroot=${SWITCHOVER_SYSROOT:-}
# Debian leaves the sbin folders, and with them HAProxy, out of a person's PATH.
export PATH="$PATH:$sysroot/usr/local/sbin:$sysroot/usr/sbin:$sysroot/sbin"

say() { printf '%s\n' "$*" >&2; }

# die STATUS LINE…: 1 when something failed, 2 when the machine or the arguments are not what they should be.
die() {
  local status=$1
  shift
  printf '✗ %s\n' "$1" >&2
  shift
  (($# == 0)) || printf '  %s\n' "$@" >&2
  exit "$status"
}

# What tells whether files changed: every path below the arguments (those that exist) with its time and size.
fingerprint() { { find "$@" -type f -printf '%p %T@ %s\n' 2>/dev/null || true; } | LC_ALL=C sort | sha256sum | cut -c1-64; }

# A stamp is what a part of the work was done for; the part is up to date while the same value is asked for.
stamped() { [[ -r $state/stamps/$1 && $(<"$state/stamps/$1") == "$2" ]]; }
stamp() { mkdir -p "$state/stamps" && printf '%s' "$2" >"$state/stamps/$1"; }

now_ms() { printf '%s' $((${EPOCHREALTIME//[.,]/} / 1000)); }

# Holds a lock under .switchover until this process ends, so that runs at the same time wait for one another.
hold() {
  { mkdir -p "$state/logs" "$state/stamps" && : >>"$state/$1.lock"; } 2>/dev/null ||
    die 2 "Cannot write to $state." "Something changed that needs work there, and the checkout is somebody else's: clone your own."
  exec {lock}>"$state/$1.lock"
  flock -n "$lock" && return
  say "… waiting for another $1 of this checkout to end"
  flock "$lock"
}

# part TITLE COMMAND…: runs the command with its output in the log; shows the title meanwhile, then the time it took.
# COMMAND may be a function; errexit does not reach into it, so it joins its steps with &&.
part() {
  local title=$1 began took from ticker='' status=0
  shift
  began=$(now_ms)
  printf '== %s  %s\n' "$(date -Is)" "$title" >>"$log"
  from=$(wc -l <"$log")
  if [[ -t 2 ]]; then
    tick "$title" & ticker=$!
  else
    say "… $title"
  fi
  "$@" >>"$log" 2>&1 </dev/null || status=$?
  [[ -z $ticker ]] || { kill "$ticker" && wait "$ticker"; } 2>/dev/null || true
  [[ ! -t 2 ]] || printf '\r\033[K' >&2
  took=$(($(now_ms) - began))
  if ((status)); then
    tail -n +$((from + 1)) "$log" | tail -n 40 | sed 's/^/    /' >&2
    die 1 "$title: failed with status $status after $(seconds $took); its last lines are above." \
      "The whole output is in $log. What is done stays done: run the same again once the cause is gone."
  fi
  say "✓ $title  $(seconds $took)"
}

tick() {
  local title=$1 elapsed=0
  while kill -0 $$ 2>/dev/null; do
    printf '\r\033[K… %s  %d s' "$title" $((elapsed++)) >&2
    sleep 1
  done
}

seconds() { printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100)); }
