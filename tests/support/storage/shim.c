/* Makes a disk fail for one process tree: preload it, and name in DISK_FAULT a file that says what shall happen.
 *
 * The file holds one line: CALL ERRNO SECONDS SKIP TIMES PREFIX. Of the calls named CALL (open, write, fsync, or any)
 * on files whose path begins with PREFIX, SKIP pass, the next TIMES first wait SECONDS and then fail with ERRNO
 * (0: they work). The counts begin anew when the file is another one. The moment at which each such call began is
 * appended to DISK_FAULT.hits, in nanoseconds of CLOCK_MONOTONIC, before anything else happens.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long serial;
static long seen;

static int read_order(char *call, int *number, double *seconds, long *skip, long *times, char *prefix)
{
    const char *path = getenv("DISK_FAULT");
    char text[4600];
    struct stat found;
    if (!path)
        return 0;
    int fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    long length = read(fd, text, sizeof text - 1);
    int known = fstat(fd, &found);
    syscall(SYS_close, fd);
    if (length <= 0 || known != 0)
        return 0;
    text[length] = 0;
    if (serial != found.st_ino) {
        serial = found.st_ino;
        seen = 0;
    }
    return sscanf(text, "%15s %d %lf %ld %ld %4095s", call, number, seconds, skip, times, prefix) == 6;
}

static void tell(void)
{
    char path[4200], line[40];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(path, sizeof path, "%s.hits", getenv("DISK_FAULT"));
    int fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    int length = snprintf(line, sizeof line, "%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec);
    if (syscall(SYS_write, fd, line, length) != length)
        abort();
    syscall(SYS_close, fd);
}

/* Returns the error that the call shall fail with, or 0. */
static int judge(const char *name, const char *path)
{
    char call[16], prefix[4096];
    int number;
    double seconds;
    long skip, times;
    if (!path)
        return 0;
    pthread_mutex_lock(&lock);
    int ordered = read_order(call, &number, &seconds, &skip, &times, prefix);
    if (ordered)
        ordered = (!strcmp(call, "any") || !strcmp(call, name)) && !strncmp(path, prefix, strlen(prefix));
    if (ordered) {
        long mine = seen++;
        ordered = mine >= skip && mine < skip + times;
    }
    if (ordered)
        tell();
    pthread_mutex_unlock(&lock);
    if (!ordered)
        return 0;
    struct timespec rest = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};
    while (nanosleep(&rest, &rest) && errno == EINTR)
        ;
    return number;
}

static int judge_fd(const char *name, int fd)
{
    char link[40], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    return judge(name, path);
}

#define FAIL_IF(verdict)    \
    do {                    \
        int why = verdict;  \
        if (why) {          \
            errno = why;    \
            return -1;      \
        }                   \
    } while (0)

int fsync(int fd)
{
    FAIL_IF(judge_fd("fsync", fd));
    return syscall(SYS_fsync, fd);
}

ssize_t write(int fd, const void *data, size_t size)
{
    FAIL_IF(judge_fd("write", fd));
    return syscall(SYS_write, fd, data, size);
}

#define OPENING(NAME)                                                     \
    int NAME(const char *path, int flags, ...)                            \
    {                                                                     \
        mode_t mode = 0;                                                  \
        if (flags & (O_CREAT | O_TMPFILE)) {                              \
            va_list rest;                                                 \
            va_start(rest, flags);                                        \
            mode = va_arg(rest, mode_t);                                  \
            va_end(rest);                                                 \
        }                                                                 \
        FAIL_IF(judge("open", path));                                     \
        return syscall(SYS_openat, AT_FDCWD, path, flags, mode);          \
    }

OPENING(open)
OPENING(open64)
