# Sourced by each start script. PORT and URL say where to serve, PORT_4445 what takes the place of port 4445 in the
# target file, CACHE is a folder that keeps what was installed, FOLDER is this run's own, and every env: reference of
# the target file is a variable, too.

set -eu
export LC_ALL=C.UTF-8 # or some read é in a variable as something else
HERE=$(cd "$(dirname "$0")" && pwd)

# need ends with 77 where a command is missing; the last line of the log tells why.
need() {
  for command in "$@"; do
    command -v "$command" >/dev/null 2>&1 || { echo "$command is missing"; exit 77; }
  done
}

# once NAME COMMAND… runs an installing command once per cache, and ends with 77 where it cannot.
once() {
  mark=$CACHE/$1.installed; what=$1; shift
  [ -e "$mark" ] || "$@" || { echo "$what cannot be installed here; see $FOLDER/log"; exit 77; }
  touch "$mark"
}
