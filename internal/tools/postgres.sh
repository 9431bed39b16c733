#!/usr/bin/env bash
# Makes sure that PostgreSQL's server programs are on this machine, or says how
# to get them. On Debian and Ubuntu it offers to install them.
set -euo pipefail

if [ -n "${KOBLING_DATABASE_URL:-}${KOBLING_POSTGRES_BIN:-}" ]; then exit 0; fi
for dir in $(dirname "$(command -v postgres || echo /none/postgres)") \
  /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin \
  /Applications/Postgres.app/Contents/Versions/*/bin; do
  if [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ]; then exit 0; fi
done

if ! command -v apt-get >/dev/null; then
  cat >&2 <<'TXT'
PostgreSQL's server programs (15 or newer) were not found. Install them:
  Fedora   sudo dnf install postgresql-server
  macOS    brew install postgresql@16
or set KOBLING_POSTGRES_BIN to their folder, or KOBLING_DATABASE_URL to a server.
TXT
  exit 1
fi

# Without the cluster that Debian's package would otherwise create and start:
# kobling keeps its own.
install='apt-get install -y --no-install-recommends postgresql'
sudo=''
[ "$(id -u)" = 0 ] || sudo='sudo'
if [ -t 0 ] && [ -t 1 ]; then
  read -r -p "PostgreSQL's server programs are missing. Run '$sudo $install'? [Y/n] " answer
  case "$answer" in '' | [Yy]*) ;; *) exit 1 ;; esac
elif [ -n "$sudo" ] && ! sudo -n true 2>/dev/null; then
  echo "PostgreSQL's server programs are missing. Install them with: $sudo $install" >&2
  exit 1
fi
$sudo mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
  echo 'create_main_cluster = false' | $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
$sudo apt-get update -q
$sudo $install
