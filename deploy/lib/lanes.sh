# Shared by the commands of this folder that run several things at a time.

# in_a_lane FOLDER LANES COMMAND...: run COMMAND as soon as one of so many lanes in FOLDER is free. A lane is a lock that
# this shell holds, so that the kernel frees it however the shell ends. Who waits longest is the next: only who has the
# turn looks for a free lane.
in_a_lane() {
    local folder=$1 lanes=$2 lane
    shift 2
    exec 8>"$folder/turn"
    flock 8
    until for lane in $(seq "$lanes"); do exec 9>"$folder/lane$lane"; flock -n 9 && break; done; do sleep 0.1; done
    exec 8>&-
    # what the command leaves running keeps no lane
    "$@" 9>&-
}
