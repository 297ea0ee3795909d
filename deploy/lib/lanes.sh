# Shared by the commands of this folder that run several things at a time.

# in_a_lane FOLDER LANES COMMAND...: run COMMAND as soon as one of so many lanes in FOLDER is free. A lane is a lock that
# this shell holds, so that the kernel frees it however the shell ends. Who waits longest is the next: only who has the
# turn looks for a free lane.
in_a_lane() {
    local folder=$1 lanes=$2 lane
    shift 2
    exec 8>"$folder/turn"
    flock 8
    # seldom: each look starts as many processes as there are lanes, beside what computes
    until for ((lane = 1; lane <= lanes; lane++)); do exec 9>"$folder/lane$lane"; flock -n 9 && break; done; do sleep 0.5; done
    exec 8>&-
    # what the command leaves running keeps no lane
    "$@" 9>&-
}
