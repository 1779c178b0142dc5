#!/bin/sh
# Runs a command with a Slurm of its own on loopback: one controller and three hosts, two with a fake h100, one with a
# fake mi300x. Nothing of it stays when the command has ended. Needs no root.
#   apt install slurm-wlm munge
#   scripts/slurm-loopback.sh python -m pytest tests/e2e/test_runner_slurm.py
set -eu
PATH=$PATH:/usr/sbin:/sbin
say() { printf 'slurm-loopback: %s\n' "$*" >&2; }

for program in munged slurmctld slurmd sbatch; do
  command -v "$program" >/dev/null || { say "$program is missing (Debian: apt install slurm-wlm munge)"; exit 4; }
done
[ $# -gt 0 ] || { say "usage: $0 COMMAND [ARGUMENT]..."; exit 2; }

me=$(id -un)
folder=$(mktemp -d)
stop() {
  # what still runs ends before its host does
  [ ! -e "$folder/slurmctld.pid" ] || timeout 10 scancel --full --user="$me" 2>/dev/null || true
  sleep 1
  for pid in "$folder"/*.pid; do
    [ ! -f "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || true
  done
  sleep 1
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT TERM

mkdir "$folder/state"
dd if=/dev/urandom of="$folder/munge.key" bs=1024 count=1 2>/dev/null
chmod 400 "$folder/munge.key"
munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
  --log-file="$folder/munged.log" --seed-file="$folder/munged.seed" 2>"$folder/munged.err" ||
  { cat "$folder/munged.err" >&2; exit 4; }

for device in h100-1 h100-2 mi300x-1; do : >"$folder/$device"; done
cat >"$folder/gres.conf" <<CONF
NodeName=left Name=gpu Type=h100 File=$folder/h100-1
NodeName=right Name=gpu Type=h100 File=$folder/h100-2
NodeName=other Name=gpu Type=mi300x File=$folder/mi300x-1
CONF
# A host that does not answer is down (SlurmdTimeout), and its jobs may start again (cred_expire), within seconds.
cat >"$folder/slurm.conf" <<CONF
ClusterName=loopback
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=17817
SlurmUser=$me
SlurmdUser=$me
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=20
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/%n.log
SlurmdTimeout=15
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,bf_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu
NodeName=left NodeHostname=localhost NodeAddr=127.0.0.1 Port=17821 CPUs=2 Gres=gpu:h100:1
NodeName=right NodeHostname=localhost NodeAddr=127.0.0.1 Port=17822 CPUs=2 Gres=gpu:h100:1
NodeName=other NodeHostname=localhost NodeAddr=127.0.0.1 Port=17823 CPUs=2 Gres=gpu:mi300x:1
PartitionName=perf Nodes=left,right,other Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes=left,right,other MaxTime=1 State=UP
CONF
SLURM_CONF=$folder/slurm.conf
export SLURM_CONF
slurmctld -f "$SLURM_CONF"
for host in left right other; do slurmd -f "$SLURM_CONF" -N "$host"; done

waited=0
until [ "$(sinfo --noheader --partition=perf --Node --states=idle --format=%N 2>/dev/null | wc -l)" -eq 3 ]; do
  waited=$((waited + 1))
  [ "$waited" -lt 60 ] || { say "the hosts did not come up:"; sinfo >&2 || true; cat "$folder"/*.log >&2; exit 4; }
  sleep 0.5
done
say "three hosts are idle; SLURM_CONF=$SLURM_CONF"
status=0
"$@" || status=$?
exit "$status"
