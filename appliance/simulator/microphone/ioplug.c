/*
 * A microphone for tests: an ALSA I/O plugin that plays a raw file in real time, so that real ALSA and real PortAudio
 * stand in the path, with real overruns, stalls and unplugging.
 *
 * The meeting goes on whether anybody listens or not: a stream that starts at time t hears the file from frame
 * (t - epoch) * rate on, and wraps round at its end. What it hears is therefore one array comparison away from the file.
 *
 * Every open handle is one connection to the simulator's socket. It says "open", "started" (with the file's frame) and
 * "closed" there, each with CLOCK_MONOTONIC; when the process is killed, the kernel hangs up and the simulator sees it.
 */
#define _GNU_SOURCE
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAGIC 0x31434d5350ull /* "PSMC1", little-endian */

/* Shared with device.py, which alone writes it. */
struct control {
    uint64_t magic;
    int64_t epoch_ns;   /* CLOCK_MONOTONIC of the file's frame 0 */
    int32_t plugged;    /* 0: opening fails, running streams end with ENODEV */
    int32_t stalled;    /* 1: running streams give no more frames */
    int32_t busy;       /* 1: opening fails with EBUSY */
    int32_t drift_ppb;  /* the crystal runs this much too fast */
    int64_t lost;       /* running total of frames to lose without telling anybody */
    int32_t muted;      /* 1: silence instead of the file */
    int32_t off;        /* 1: an analog switch is open: only the amplifier's own low noise */
    int64_t gain;       /* what each sample is multiplied by, in thousandths; it saturates, as a converter does */
    int32_t deaf;       /* 1: streams that start now never give a frame; 2: their start does not return */
    int32_t hang_close; /* 1: closing a stream that was started does not return */
    int32_t wake_ms;    /* streams that start now give their first frame so much later */
    int32_t right;      /* the right one of two channels: 0 as the left, 1 in opposite phase, 2 silent; 3 the left is */
    int64_t card_rate;  /* frames a second, the only ones it takes */
    int32_t channels;   /* the only number of channels that it takes, 1 or 2 */
    int32_t bits;       /* the only size of a sample that it takes, 16, or 32 with 24 of them used */
    int64_t offset;     /* the constant part of its signal, in 65536ths of a step of 16 bits */
};

struct microphone {
    snd_pcm_ioplug_t io;
    const volatile struct control *control;
    const int16_t *raw;
    uint64_t frames; /* length of the file */
    size_t bytes;
    int timer, line;
    int64_t started_ns, frozen_ns;
    uint64_t origin, consumed, reported, lost_before;
    snd_pcm_uframes_t wake;
    int running;
    int deaf; /* started while it was deaf: stays so */
    int gone; /* unplugged once: this handle stays dead, as with a real card, also after a replug */
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Do not return while the word has this value. */
static void hang(const volatile int32_t *word, int32_t value)
{
    while (*word == value)
        usleep(5000);
}

static int gone(struct microphone *m)
{
    if (!m->control->plugged)
        m->gone = 1;
    return m->gone;
}

static void tell(struct microphone *m, const char *what, const char *more)
{
    char text[200];
    int n = snprintf(text, sizeof text, "{\"device\":\"%s\",\"t_ns\":%lld,\"pid\":%d%s}\n", what,
                     (long long)now_ns(), (int)getpid(), more);
    if (m->line >= 0 && send(m->line, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) != n)
        SNDERR("the simulator does not listen any more");
}

static double rate_of(struct microphone *m)
{
    return m->io.rate * (1.0 + m->control->drift_ppb / 1e9);
}

/* Frames that the stream has given since its start, read or not. */
static uint64_t produced(struct microphone *m)
{
    int64_t until = now_ns();
    uint64_t given = 0;
    if (m->deaf)
        return 0;
    if (m->control->stalled) {
        if (!m->frozen_ns)
            m->frozen_ns = until;
        until = m->frozen_ns;
    } else if (m->frozen_ns) {
        m->started_ns += until - m->frozen_ns;
        m->frozen_ns = 0;
    }
    if ((uint64_t)m->control->lost != m->lost_before) { /* their time passes, and they never come */
        uint64_t lost = (uint64_t)m->control->lost - m->lost_before;
        m->lost_before += lost;
        m->origin += lost;
        m->started_ns += (int64_t)((double)lost * 1e9 / rate_of(m));
    }
    if (until > m->started_ns)
        given = (uint64_t)((double)(until - m->started_ns) * rate_of(m) / 1e9);
    if (given > m->reported) /* a card's position never goes back */
        m->reported = given;
    return m->reported;
}

static void arm(struct microphone *m)
{
    uint64_t target = m->consumed + (m->wake ? m->wake : 1);
    int64_t at = m->started_ns + (int64_t)((double)target * 1e9 / rate_of(m)) + 100000;
    struct itimerspec when = {.it_value = {.tv_sec = at / 1000000000, .tv_nsec = at % 1000000000}};
    if (m->control->stalled || m->deaf) /* look again later, so that a stall can end */
        when.it_value.tv_sec += 1;
    timerfd_settime(m->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static int mic_start(snd_pcm_ioplug_t *io)
{
    struct microphone *m = io->private_data;
    char more[64];
    hang(&m->control->deaf, 2);
    m->deaf = m->control->deaf;
    m->started_ns = now_ns() + (int64_t)m->control->wake_ms * 1000000;
    m->frozen_ns = 0;
    m->consumed = m->reported = 0;
    m->lost_before = (uint64_t)m->control->lost;
    m->origin = (uint64_t)((double)(m->started_ns - m->control->epoch_ns) * io->rate / 1e9) % m->frames;
    m->running = 1;
    snprintf(more, sizeof more, ",\"position\":%llu", (unsigned long long)m->origin);
    /* PortAudio 19.6 repeats a failed restart for ever, on a whole core: so a dead handle starts, but hears nothing */
    if (!gone(m))
        tell(m, "started", more);
    arm(m);
    return 0;
}

static int mic_stop(snd_pcm_ioplug_t *io)
{
    struct microphone *m = io->private_data;
    struct itimerspec never = {0};
    m->running = 0;
    timerfd_settime(m->timer, 0, &never, NULL);
    return 0;
}

static snd_pcm_sframes_t mic_pointer(snd_pcm_ioplug_t *io)
{
    struct microphone *m = io->private_data;
    uint64_t given;
    if (gone(m))
        return -ENODEV;
    if (!m->running)
        return 0;
    given = produced(m);
    if (given > m->consumed + io->buffer_size)
        return -EPIPE;
    return (snd_pcm_sframes_t)(given % io->buffer_size);
}

/* What the amplifier gives without its capsule: two steps of noise, 15 dB below the simulated room; a hash of the frame
 * (splitmix64), so that no state is needed. */
static int64_t amplifier_noise(uint64_t frame)
{
    uint64_t z = (frame + 1) * 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    z ^= z >> 31;
    return (int64_t)(z % 6) + (int64_t)((z >> 32) % 6) - 5;
}

/* In 65536ths of a step of 16 bits, 24 bits of it used. */
static int32_t sample(const struct microphone *m, uint64_t frame)
{
    int64_t heard = m->control->off ? amplifier_noise(frame) : m->raw[frame % m->frames];
    int64_t louder = heard * m->control->gain * 65536 / 1000 / 256 * 256 + m->control->offset;
    if (m->control->muted)
        return 0;
    return (int32_t)(louder > INT32_MAX ? INT32_MAX : louder < INT32_MIN ? INT32_MIN : louder);
}

static int32_t in_channel(const struct microphone *m, unsigned int channel, int32_t heard)
{
    int32_t right = m->control->right;
    if ((channel == 0 && right == 3) || (channel == 1 && right == 2))
        return 0;
    return channel == 1 && right == 1 ? (heard == INT32_MIN ? INT32_MAX : -heard) : heard;
}

static snd_pcm_sframes_t mic_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
                                      snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
    struct microphone *m = io->private_data;
    snd_pcm_uframes_t i;
    unsigned int c;
    if (gone(m))
        return -ENODEV;
    for (i = 0; i < size; i++) {
        int32_t heard = sample(m, m->origin + m->consumed + i);
        for (c = 0; c < io->channels; c++) {
            char *to = (char *)areas[c].addr + (areas[c].first + areas[c].step * (offset + i)) / 8;
            int32_t given = in_channel(m, c, heard);
            if (io->format == SND_PCM_FORMAT_S32_LE)
                *(int32_t *)to = given;
            else
                *(int16_t *)to = (int16_t)(given / 65536);
        }
    }
    m->consumed += size;
    arm(m);
    return (snd_pcm_sframes_t)size;
}

static int mic_poll_revents(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned int n, unsigned short *revents)
{
    struct microphone *m = io->private_data;
    uint64_t expirations;
    *revents = 0;
    if (n == 1 && (fds[0].revents & POLLIN) && read(m->timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
        return -errno;
    if (gone(m))
        *revents = POLLERR | POLLHUP;
    else if (m->running && produced(m) >= m->consumed + (m->wake ? m->wake : 1))
        *revents = POLLIN;
    if (m->running) /* level-triggered, as a sound card's descriptor is */
        arm(m);
    return 0;
}

static int mic_sw_params(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *params)
{
    struct microphone *m = io->private_data;
    return snd_pcm_sw_params_get_avail_min(params, &m->wake);
}

static int mic_close(snd_pcm_ioplug_t *io)
{
    struct microphone *m = io->private_data;
    if (m->started_ns)
        hang(&m->control->hang_close, 1);
    tell(m, "closed", "");
    close(m->line);
    close(m->timer);
    munmap((void *)m->raw, m->bytes);
    munmap((void *)m->control, sizeof *m->control);
    free(m);
    return 0;
}

static const snd_pcm_ioplug_callback_t CALLBACKS = {
    .start = mic_start,
    .stop = mic_stop,
    .pointer = mic_pointer,
    .transfer = mic_transfer,
    .close = mic_close,
    .sw_params = mic_sw_params,
    .poll_revents = mic_poll_revents,
};

static const void *map(const char *path, size_t *bytes)
{
    struct stat info;
    void *at = MAP_FAILED;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &info) == 0 && info.st_size > 0)
        at = mmap(NULL, *bytes = (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    return at == MAP_FAILED ? NULL : at;
}

static int call(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    strncpy(to.sun_path, path, sizeof to.sun_path - 1);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static int constrain(snd_pcm_ioplug_t *io, const volatile struct control *control)
{
    static const unsigned int access[] = {SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED};
    const unsigned int format[] = {control->bits == 32 ? SND_PCM_FORMAT_S32_LE : SND_PCM_FORMAT_S16_LE};
    unsigned int channels = (unsigned int)control->channels, rate = (unsigned int)control->card_rate;
    int err;
    if ((err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 2, access)) < 0 ||
        (err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, format)) < 0 ||
        (err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, channels, channels)) < 0 ||
        (err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, rate, rate)) < 0 ||
        (err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 128, 65536)) < 0 ||
        (err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 64)) < 0)
        return err;
    return snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 256, 131072);
}

SND_PCM_PLUGIN_DEFINE_FUNC(plainsight)
{
    const char *control = NULL, *raw = NULL, *simulator = NULL, *id;
    snd_config_iterator_t i, next;
    struct microphone *m;
    size_t control_bytes = 0;
    int err = -EINVAL;

    (void)root;
    snd_config_for_each(i, next, conf) {
        snd_config_t *n = snd_config_iterator_entry(i);
        if (snd_config_get_id(n, &id) < 0)
            continue;
        if (!strcmp(id, "control"))
            snd_config_get_string(n, &control);
        else if (!strcmp(id, "raw"))
            snd_config_get_string(n, &raw);
        else if (!strcmp(id, "simulator"))
            snd_config_get_string(n, &simulator);
        else if (strcmp(id, "type") && strcmp(id, "comment") && strcmp(id, "hint")) {
            SNDERR("the plainsight plugin has no field %s", id);
            return -EINVAL;
        }
    }
    if (!control || !raw || !simulator) {
        SNDERR("the plainsight plugin needs the fields control, raw and simulator");
        return -EINVAL;
    }
    if (stream != SND_PCM_STREAM_CAPTURE)
        return -ENODEV;
    if (!(m = calloc(1, sizeof *m)))
        return -ENOMEM;
    m->timer = m->line = -1;
    m->control = map(control, &control_bytes);
    m->raw = map(raw, &m->bytes);
    m->frames = m->bytes / 2;
    if (!m->control || control_bytes < sizeof *m->control || m->control->magic != MAGIC || !m->raw) {
        SNDERR("cannot read %s or %s", control, raw);
        goto fail;
    }
    err = m->control->busy ? -EBUSY : -ENODEV;
    if (m->control->busy || !m->control->plugged || (m->line = call(simulator)) < 0)
        goto fail;
    tell(m, "open", "");
    if ((m->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) < 0) {
        err = -errno;
        goto fail;
    }
    m->io.version = SND_PCM_IOPLUG_VERSION;
    m->io.name = "Plain Sight test microphone";
    m->io.callback = &CALLBACKS;
    m->io.private_data = m;
    m->io.poll_fd = m->timer;
    m->io.poll_events = POLLIN;
    m->io.mmap_rw = 0;
    if ((err = snd_pcm_ioplug_create(&m->io, name, stream, mode)) < 0)
        goto fail;
    if ((err = constrain(&m->io, m->control)) < 0) {
        snd_pcm_ioplug_delete(&m->io); /* calls mic_close */
        return err;
    }
    *pcmp = m->io.pcm;
    return 0;
fail:
    if (m->raw)
        munmap((void *)m->raw, m->bytes);
    if (m->control)
        munmap((void *)m->control, control_bytes);
    if (m->line >= 0)
        close(m->line);
    if (m->timer >= 0)
        close(m->timer);
    free(m);
    return err;
}

SND_PCM_PLUGIN_SYMBOL(plainsight);
