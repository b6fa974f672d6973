#!/bin/sh
# Prints a line of JSON: what pgBackRest says there is, and what is restored in each place. Works as the owner of HOME.
# Usage: info.sh HOME STANZA PGBACKREST PLACE...
# A shell, because every act looks before and after: it starts in a fiftieth of Node's time.
set -eu
home=$1 stanza=$2 program=$3
shift 3
owner=
[ "$(id -u)" != 0 ] || owner="--reuid=$(stat -c %u "$home") --regid=$(stat -c %g "$home") --clear-groups"
cd "$home"
# shellcheck disable=SC2086
info=$(LC_ALL=C setpriv --pdeathsig TERM $owner "$program" --config="$home/pgbackrest.conf" --stanza="$stanza" --output=json info)
scratch=
for place; do
  receipt=null
  # A copy has data only once it is whole; what is left without a receipt is none.
  [ ! -e "$home/$place/data" ] || [ ! -e "$home/$place/restored.json" ] || receipt=$(cat "$home/$place/restored.json")
  scratch="$scratch${scratch:+,}\"$place\":$receipt"
done
printf '{"info":%s,"scratch":{%s}}\n' "$info" "$scratch"
