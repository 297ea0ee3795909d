/* Offsets CLOCK_REALTIME for one process tree: preload it, and name in CLOCK_OFFSET a file of eight bytes, the offset
 * in nanoseconds in the machine's byte order. The file is mapped, so an offset that is written there holds from the
 * next call on. Other clocks, and time stamps that the kernel makes (of files), are left alone. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static const volatile int64_t *offset_ns;

__attribute__((constructor)) static void map_offset(void)
{
    const char *path = getenv("CLOCK_OFFSET");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *at = mmap(NULL, sizeof *offset_ns, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (at != MAP_FAILED)
        offset_ns = at;
}

int clock_gettime(clockid_t id, struct timespec *to)
{
    int failed = syscall(SYS_clock_gettime, id, to);
    if (!failed && offset_ns && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t now = to->tv_sec * SECOND + to->tv_nsec + *offset_ns;
        to->tv_sec = now / SECOND;
        to->tv_nsec = now % SECOND;
    }
    return failed;
}

int gettimeofday(struct timeval *restrict to, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    to->tv_sec = now.tv_sec;
    to->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    if (to)
        *to = now.tv_sec;
    return now.tv_sec;
}
