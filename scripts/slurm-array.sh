#!/bin/sh
# Submits an experiment to Slurm as an array of shards and a job that merges them: see usage().
set -eu

# The jobs run this same script, with one of these words and what follows it: Slurm hands arguments on as they are,
# whatever characters a path holds.
case ${1-} in
--job-shard) # diffrate FILE DIR N
    echo "shard $SLURM_ARRAY_TASK_ID/$5: ${SLURM_CPUS_PER_TASK:=1} CPUs on $(uname -n), restarted ${SLURM_RESTART_COUNT:-0} times"
    # By exec, so that the signal ahead of the time limit, which goes to the job's first process, reaches diffrate.
    exec "$2" run "$3" -o "$4" --shard "$SLURM_ARRAY_TASK_ID/$5" -j "$SLURM_CPUS_PER_TASK"
    ;;
--job-merge) # diffrate RESULTS FILE
    status=0
    "$2" merge "$3" --spec "$4" || status=$?
    [ "$status" = 3 ] || [ "$status" = 0 ] || exit "$status" # 3: some cells failed, the others are judged all the same
    for command in verdict plot report; do
        "$2" "$command" "$3"
    done
    exit "$status"
    ;;
esac

usage() {
    cat <<'END'
Usage: slurm-array.sh FILE N [-o DIR] [-c CPUS] [--dry-run] [-- SBATCH OPTIONS]
Submit experiment FILE to Slurm as an array of N shards with many cells each, and a job that waits for them all, merges
their cells into DIR/<experiment>/ and makes the verdict, the figures and the report.

  -o DIR         where results go, on a file system that all nodes share (default: results)
  -c CPUS        CPUs of a shard, and so cells at a time (default: 4)
      --dry-run  check FILE and print what would be submitted
      --help     this text

Options after -- go to sbatch, for both jobs. A time limit stops a shard cleanly a minute ahead; shards resume, so
submit again to go on after that, after a cancelled job or a lost node. The merging job runs whatever became of the
shards; it says so if cells are missing, and ends with status 3 if some cells failed. Logs are in
DIR/<experiment>/logs/. The program is $DIFFRATE, or else diffrate from PATH or from ../build beside this script.
Exit status: 0, or 1 on failure, 2 for a wrong FILE or option.

Example:
  scripts/slurm-array.sh experiments/scaling.yaml 8 -o results -c 16 -- --time=1:00:00 --partition=short
END
}

fail() {
    printf 'slurm-array.sh: %s\n' "$2" >&2
    exit "$1"
}

absolute() {
    case $1 in
    /*) printf '%s\n' "$1" ;;
    *) printf '%s\n' "$PWD/$1" ;;
    esac
}

# One word for a shell to read back.
quote() {
    case $1 in
    '' | *[!A-Za-z0-9_./:=,@%+-]*) printf '%s' "$1" | sed "s/'/'\\\\''/g; 1s/^/'/; \$s/\$/'/" ;;
    *) printf '%s' "$1" ;;
    esac
}

is_count() {
    case $1 in
    '' | 0* | *[!0-9]*) return 1 ;;
    esac
}

file='' shards='' output=results cpus=4 dry_run=no
while [ $# -gt 0 ]; do
    case $1 in
    --help)
        usage
        exit
        ;;
    --dry-run) dry_run=yes ;;
    -o | -c)
        [ -n "${2-}" ] || fail 2 "$1 needs a value"
        if [ "$1" = -o ]; then output=$2; else cpus=$2; fi
        shift
        ;;
    --)
        shift
        break
        ;;
    -*) fail 2 "unknown option '$1', see --help" ;;
    *)
        if [ -z "$file" ]; then
            file=$1
        elif [ -z "$shards" ]; then
            shards=$1
        else
            fail 2 "one FILE and one N, not also '$1'; options for sbatch follow --"
        fi
        ;;
    esac
    shift
done
[ -n "$file" ] || fail 2 "which FILE? See --help"
[ -n "$shards" ] || fail 2 "how many shards? See --help"
is_count "$shards" || fail 2 "expected a number of shards N, not '$shards'"
is_count "$cpus" || fail 2 "-c: expected a number of CPUs, not '$cpus'"
case ${1--} in
-*) ;;
*) fail 2 "expected an option for sbatch after --, not '$1'" ;;
esac
for option in "$@"; do
    case $option in
    -a* | --array*) fail 2 "the array is 1-$shards, as N says; not also '$option'" ;;
    esac
done
[ -f "$file" ] || fail 2 "there is no file $file"

if [ -n "${DIFFRATE-}" ]; then
    diffrate=$(command -v "$DIFFRATE") || diffrate=$DIFFRATE
    [ -x "$diffrate" ] || fail 1 "DIFFRATE is '$DIFFRATE', where no program is"
else
    diffrate=$(command -v diffrate) || diffrate=$(dirname "$0")/../build/diffrate
    [ -x "$diffrate" ] || fail 1 "no diffrate in PATH or at $diffrate: run make, or set DIFFRATE"
fi

diffrate=$(absolute "$diffrate")
script=$(absolute "$0")
file=$(absolute "$file")
output=$(absolute "$output")
"$diffrate" run "$file" -o "$output" --dry-run # a wrong FILE is told here, not by N logs

# The experiment's name, as diffrate makes it from FILE.
name=$(basename "$file" | LC_ALL=C sed 's/\(.\)\.ya\{0,1\}ml$/\1/; s/[^A-Za-z0-9._-]/-/g; s/^\./-/' | cut -b -63)
results=$output/$name
case $results in
*\\*) fail 2 "Slurm writes no logs below a path with a backslash: $results" ;; # there its %A and %a mean nothing
esac
logs=$(printf '%s\n' "$results/logs" | sed 's/%/%%/g')

# Submits a job and prints its number, or shows what it would submit.
submit() {
    if [ "$dry_run" = no ]; then
        job=$(sbatch "$@") || return
        echo "${job%%;*}" # a cluster's name may follow
        return
    fi
    printf sbatch >&3
    for word in "$@"; do
        printf ' %s' "$(quote "$word")" >&3
    done
    echo >&3
    echo JOB
}
exec 3>&1

if [ "$dry_run" = no ]; then
    command -v sbatch >/dev/null || fail 1 "no sbatch in PATH: is this a machine that submits to Slurm?"
    mkdir -p "$results/logs"
fi
# What the user may choose otherwise stands ahead of the user's options, what must be so behind them.
array=$(submit --parsable --job-name="$name" --nodes=1 --ntasks=1 --requeue --signal=B:TERM@60 "$@" \
    --cpus-per-task="$cpus" --open-mode=append --array="1-$shards" --output="$logs/shard-%A_%a.log" \
    "$script" --job-shard "$diffrate" "$file" "$output" "$shards")
merge=$(submit --parsable --job-name="$name-merge" --nodes=1 --ntasks=1 --requeue "$@" \
    --cpus-per-task=1 --open-mode=append --dependency="afterany:$array" --output="$logs/merge-%j.log" \
    "$script" --job-merge "$diffrate" "$results" "$file") ||
    fail 1 "the shards are submitted (job $array), the job that merges them is not; afterwards: diffrate merge $results --spec $file"
[ "$dry_run" = no ] || exit 0

cat <<END
job $array: $shards shards of $name, $cpus CPUs each
job $merge: merge, verdict, figures and report, after these
to follow them:  squeue -j $array,$merge
to stop them:    scancel $array $merge
their logs:      $(quote "$results/logs")/shard-${array}_*.log and merge-$merge.log
END
