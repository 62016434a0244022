/* sink: the next hop.  Takes mail over STARTTLS only and writes one line for each message before it says 250:
 *     MESSAGE-ID BODY-BYTES SECONDS
 * where BODY-BYTES counts what stands behind the header's empty line (dot-stuffing undone) and SECONDS is CLOCK_MONOTONIC.
 * usage: sink PORT FILE      (loopback; PORT 0 takes a free one; the port is printed once it listens) */
#include "wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <signal.h>

static SSL_CTX *context;
static int record = -1;

static void fatal(const char *what)
{
    perror(what);
    exit(2);
}

/* A throw-away P-256 certificate, made in memory: nothing to write, nothing to find. */
static SSL_CTX *server_context(void)
{
    SSL_CTX *made = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 30 * 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"sink.inside.example", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    if (!X509_sign(certificate, key, EVP_sha256()) || SSL_CTX_use_certificate(made, certificate) != 1 ||
        SSL_CTX_use_PrivateKey(made, key) != 1) {
        ERR_print_errors_fp(stderr);
        exit(2);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    return made;
}

/* Reads one message and keeps its line.  0, or -1 when the connection ended in the midst of it. */
static int take_message(Wire *w, char *line)
{
    char id[512] = "-", entry[640];
    long body = 0;
    int in_header = 1;
    for (;;) {
        long n = wire_line(w, line);
        if (n < 0)
            return -1;
        if (n == 3 && memcmp(line, ".\r\n", 3) == 0)
            break;
        if (!in_header)
            body += line[0] == '.' ? n - 1 : n;
        else if (n == 2 && memcmp(line, "\r\n", 2) == 0)
            in_header = 0;
        else if (strncasecmp(line, "Message-ID:", 11) == 0)
            sscanf(line + 11, " %511s", id);
    }
    int size = snprintf(entry, sizeof entry, "%s %ld %.6f\n", id, body, now());
    if (write(record, entry, (size_t)size) != size) /* O_APPEND: lines of several threads never mix */
        fatal("sink: the file of messages");
    return 0;
}

static const char *answer(Wire *w, const char *line)
{
    if (strncasecmp(line, "EHLO", 4) == 0)
        return w->tls ? "250-sink.example\r\n250-PIPELINING\r\n250-SIZE 1073741824\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n"
                      : "250-sink.example\r\n250-PIPELINING\r\n250-SIZE 1073741824\r\n250-ENHANCEDSTATUSCODES\r\n250-STARTTLS\r\n250 8BITMIME\r\n";
    if (strncasecmp(line, "STARTTLS", 8) == 0)
        return w->tls ? "503 5.5.1 TLS already started\r\n" : "220 2.0.0 Go ahead with TLS\r\n";
    if (strncasecmp(line, "QUIT", 4) == 0)
        return "221 2.0.0 Bye\r\n";
    if (!w->tls && strncasecmp(line, "NOOP", 4) != 0)
        return "530 5.7.0 Must issue a STARTTLS command first\r\n";
    return strncasecmp(line, "DATA", 4) == 0 ? "354 Go ahead\r\n" : "250 2.0.0 Ok\r\n";
}

static void converse(Wire *w)
{
    char line[WIRE_LINE];
    if (wire_say(w, "220 sink.example ESMTP\r\n") < 0)
        return;
    while (wire_line(w, line) > 0) {
        const char *reply = answer(w, line);
        int pipelined = w->in_at < w->in_end && reply[0] == '2';
        if (wire_put(w, reply, strlen(reply)) < 0 || (!pipelined && wire_flush(w) < 0))
            return;
        if (memcmp(reply, "221", 3) == 0 || (memcmp(reply, "220", 3) == 0 && wire_start_tls(w, context, 1) < 0))
            return;
        if (memcmp(reply, "354", 3) == 0 && (take_message(w, line) < 0 || wire_say(w, "250 2.0.0 Ok: taken\r\n") < 0))
            return;
    }
}

static void *serve(void *argument)
{
    Wire *w = malloc(sizeof *w);
    wire_open(w, (int)(long)argument, 600);
    converse(w);
    wire_close(w);
    free(w);
    return NULL;
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    socklen_t size = sizeof address;
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1024) < 0)
        fatal("sink: listening");
    getsockname(fd, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int count, char **argument)
{
    if (count != 3) {
        fprintf(stderr, "usage: sink PORT FILE\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    context = server_context();
    record = open(argument[2], O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (record < 0)
        fatal(argument[2]);
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&detached, 256 * 1024);
    for (int listener = listen_on(atoi(argument[1]));;) {
        pthread_t thread;
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0 && pthread_create(&thread, &detached, serve, (void *)(long)fd) != 0)
            close(fd);
    }
}
