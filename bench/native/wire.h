/* wire.h: one SMTP connection, clear or TLS, read and written through buffers.  Blocking; one thread per connection. */
#ifndef WIRE_H
#define WIRE_H

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { WIRE_BUFFER = 65536, WIRE_LINE = 4096 };

typedef struct {
    int fd;
    SSL *tls;                 /* NULL: in the clear */
    size_t in_at, in_end, out_end;
    char in[WIRE_BUFFER], out[WIRE_BUFFER];
} Wire;

/* Seconds of CLOCK_MONOTONIC: the clock of Python's time.monotonic(), so that all three programs share it. */
static inline double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void wire_open(Wire *w, int fd, int timeout_seconds)
{
    struct timeval patience = {timeout_seconds, 0};
    int yes = 1;
    w->fd = fd;
    w->tls = NULL;
    w->in_at = w->in_end = w->out_end = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static inline void wire_close(Wire *w)
{
    if (w->tls) {
        SSL_shutdown(w->tls);
        SSL_free(w->tls);
    }
    ERR_clear_error();
    close(w->fd);
}

/* Turns the connection to TLS; what was read in the clear is dropped.  0, or -1. */
static inline int wire_start_tls(Wire *w, SSL_CTX *context, int server)
{
    SSL *tls = SSL_new(context);
    SSL_set_fd(tls, w->fd);
    if ((server ? SSL_accept(tls) : SSL_connect(tls)) != 1) {
        SSL_free(tls);
        return -1;
    }
    w->tls = tls;
    w->in_at = w->in_end = 0;
    return 0;
}

static inline int wire_flush(Wire *w)
{
    size_t at = 0;
    while (at < w->out_end) {
        int left = (int)(w->out_end - at);
        int n = w->tls ? SSL_write(w->tls, w->out + at, left) : (int)write(w->fd, w->out + at, (size_t)left);
        if (n <= 0)
            return -1;
        at += (size_t)n;
    }
    w->out_end = 0;
    return 0;
}

static inline int wire_put(Wire *w, const char *data, size_t size)
{
    while (size > 0) {
        size_t room = WIRE_BUFFER - w->out_end;
        size_t n = size < room ? size : room;
        memcpy(w->out + w->out_end, data, n);
        w->out_end += n;
        data += n;
        size -= n;
        if (w->out_end == WIRE_BUFFER && wire_flush(w) < 0)
            return -1;
    }
    return 0;
}

static inline int wire_say(Wire *w, const char *text)
{
    return wire_put(w, text, strlen(text)) < 0 ? -1 : wire_flush(w);
}

static inline int wire_fill(Wire *w)
{
    int n = w->tls ? SSL_read(w->tls, w->in, WIRE_BUFFER) : (int)read(w->fd, w->in, WIRE_BUFFER);
    if (n <= 0)
        return -1;
    w->in_at = 0;
    w->in_end = (size_t)n;
    return 0;
}

/* One line with its end into `line` (WIRE_LINE bytes, closed by NUL; the rest of a longer one is lost).
 * Returns the true length on the wire, or -1 when the connection ended. */
static inline long wire_line(Wire *w, char *line)
{
    size_t kept = 0;
    long length = 0;
    for (;;) {
        if (w->in_at == w->in_end && wire_fill(w) < 0)
            return -1;
        const char *from = w->in + w->in_at;
        size_t have = w->in_end - w->in_at;
        const char *end = memchr(from, '\n', have);
        size_t n = end ? (size_t)(end - from) + 1 : have;
        size_t keep = n < WIRE_LINE - 1 - kept ? n : WIRE_LINE - 1 - kept;
        memcpy(line + kept, from, keep);
        kept += keep;
        length += (long)n;
        w->in_at += n;
        if (end) {
            line[kept] = '\0';
            return length;
        }
    }
}

#endif
