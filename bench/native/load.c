/* load: the senders.  Threads that each open a connection, start TLS 1.3 (never resumed), send their messages and quit,
 * until the sessions asked for are done.  One line on standard output for each message that was answered 250:
 *     MESSAGE-ID SENT ACKNOWLEDGED        (CLOCK_MONOTONIC seconds: at MAIL FROM, at the 250)
 * and `error TEXT` for each session that failed (it is not tried again).
 * usage: load -p PORT -n NAME [-c CONNECTIONS] [-s SESSIONS] [-m MESSAGES per session] [-l BODY-BYTES] [-r RECIPIENT]
 *   NAME makes the Message-IDs of this run unique: <NAME.session.message@load.example>
 *   -m 0  handshakes only: EHLO, STARTTLS, EHLO, QUIT; the lines then time whole sessions
 *   -t    together: no message goes on behind its 354 before all connections have theirs (SESSIONS = CONNECTIONS, -m 1) */
#include "wire.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

static int port, connections = 16, messages = 1, together;
static long sessions = 100, body_bytes = 4096;
static const char *run = "run", *recipient = "someone@inside.example";
static atomic_long next_session;
static pthread_barrier_t all_at_data;
static SSL_CTX *context;
static char block[78 * 512]; /* lines of 76 letters and CRLF: what a body is made of */

/* Sends `text` when given, reads the whole reply: 0 when its first digit is `want`; else -1 with the reason in `why`. */
static int expect(Wire *w, const char *text, char want, char *why)
{
    strcpy(why, "the connection ended\n");
    if (text && wire_say(w, text) < 0)
        return -1;
    do {
        if (wire_line(w, why) < 0) {
            snprintf(why, WIRE_LINE, "no reply to %s", text ? text : "what was sent\n");
            return -1;
        }
    } while (why[3] == '-');
    return why[0] == want ? 0 : -1;
}

static int put_body(Wire *w)
{
    long left = body_bytes - 2;
    while (left > 0) {
        long n = left < (long)sizeof block ? left : (long)sizeof block;
        if (wire_put(w, block, (size_t)n) < 0)
            return -1;
        left -= n;
    }
    return wire_put(w, "\r\n.\r\n", 5) < 0 ? -1 : wire_flush(w);
}

static int send_message(Wire *w, long session, int number, char *why)
{
    char id[256], text[1024];
    double sent = now();
    snprintf(id, sizeof id, "<%s.%ld.%d@load.example>", run, session, number);
    if (expect(w, "MAIL FROM:<sender@load.example>\r\n", '2', why) < 0)
        return -1;
    snprintf(text, sizeof text, "RCPT TO:<%s>\r\n", recipient);
    if (expect(w, text, '2', why) < 0 || expect(w, "DATA\r\n", '3', why) < 0)
        return -1;
    if (together)
        pthread_barrier_wait(&all_at_data);
    int size = snprintf(text, sizeof text,
                        "From: <sender@load.example>\r\nTo: <%s>\r\nSubject: %s\r\nMessage-ID: %s\r\n\r\n", recipient, run, id);
    if (wire_put(w, text, (size_t)size) < 0 || put_body(w) < 0) {
        strcpy(why, "the connection ended in the body\n");
        return -1;
    }
    if (expect(w, NULL, '2', why) < 0)
        return -1;
    printf("%s %.6f %.6f\n", id, sent, now());
    return 0;
}

static int start_tls(Wire *w, char *why)
{
    if (expect(w, NULL, '2', why) < 0 || expect(w, "EHLO load.example\r\n", '2', why) < 0 ||
        expect(w, "STARTTLS\r\n", '2', why) < 0)
        return -1;
    if (wire_start_tls(w, context, 0) < 0) {
        ERR_error_string_n(ERR_peek_error(), why, WIRE_LINE);
        return -1;
    }
    return expect(w, "EHLO load.example\r\n", '2', why);
}

static int converse(Wire *w, long session, char *why)
{
    double began = now();
    if (start_tls(w, why) < 0)
        return -1;
    for (int number = 0; number < messages; number++)
        if (send_message(w, session, number, why) < 0)
            return -1;
    if (expect(w, "QUIT\r\n", '2', why) < 0)
        return -1;
    if (messages == 0)
        printf("<%s.%ld@load.example> %.6f %.6f\n", run, session, began, now());
    return 0;
}

static void *sender(void *unused)
{
    (void)unused;
    Wire *w = malloc(sizeof *w);
    char why[WIRE_LINE];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (long session; (session = atomic_fetch_add(&next_session, 1)) < sessions;) {
        wire_open(w, socket(AF_INET, SOCK_STREAM, 0), 300);
        int done = connect(w->fd, (struct sockaddr *)&address, sizeof address);
        if (done < 0)
            snprintf(why, sizeof why, "connect: %s", strerror(errno));
        else
            done = converse(w, session, why);
        if (done < 0)
            printf("error %.*s\n", (int)strcspn(why, "\r\n"), why);
        if (done < 0 && together)
            exit(1); /* the others would wait for this one for ever */
        wire_close(w);
    }
    free(w);
    return NULL;
}

static void read_options(int count, char **argument)
{
    for (int option; (option = getopt(count, argument, "p:n:c:s:m:l:r:t")) != -1;) {
        switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'n': run = optarg; break;
        case 'c': connections = atoi(optarg); break;
        case 's': sessions = atol(optarg); break;
        case 'm': messages = atoi(optarg); break;
        case 'l': body_bytes = atol(optarg); break;
        case 'r': recipient = optarg; break;
        case 't': together = 1; break;
        default: exit(2);
        }
    }
    if (port == 0 || body_bytes < 2 || (body_bytes - 2) % 78 == 77) { /* the last would end a line in a lone CR */
        fprintf(stderr, "load: -p PORT is needed, and -l at least 2, not one less than a multiple of 78, plus 2\n");
        exit(2);
    }
    if (together && (sessions != connections || messages != 1)) {
        fprintf(stderr, "load: -t wants as many sessions as connections, and -m 1\n");
        exit(2);
    }
}

int main(int count, char **argument)
{
    read_options(count, argument);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = i % 78 == 76 ? '\r' : i % 78 == 77 ? '\n' : (char)('a' + i % 26);
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    pthread_barrier_init(&all_at_data, NULL, (unsigned)connections);
    pthread_t *thread = calloc((size_t)connections, sizeof *thread);
    for (int i = 0; i < connections; i++)
        pthread_create(&thread[i], NULL, sender, NULL);
    for (int i = 0; i < connections; i++)
        pthread_join(thread[i], NULL);
    return 0;
}
