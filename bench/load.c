// What the bench measures with: the two ends of a chain, and the least that a relay can be. Loopback only.
//   load origin BYTES                               answers any first message with so many bytes, then FIN
//   load silent                                     accepts, and never answers
//   load relay NEXT_PORT                            passes the message on, then splices the reply back
//   load sink PORT MESSAGE FLOWS BYTES              fetches FLOWS replies at once; prints the seconds of all
//                                                   together, then of each
//   load replies PORT MESSAGE BYTES AT_ONCE COUNT   fetches COUNT replies, AT_ONCE at a time, a connection for
//                                                   each; prints the seconds of all, then the median of one
//   load hold PORT MESSAGE COUNT                    opens so many connections, sends, prints "held", and waits;
//                                                   they are reset when it ends
// The first three print "port N". A blocking thread has one connection at a time. Build: cc -O2 -pthread
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1 << 20, BODY = 256 << 20, MESSAGE_MAX = 16384, THREADS = 1024, STACK = 64 << 10 };
static int listener, port, count, taken;
static long long bytes, sent;
static const char *message;
static char *body;
static double *seconds, began;
static pthread_barrier_t start;
static const char HEAD[] = "HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Length: %lld\r\nConnection: close\r\n\r\n";

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static struct sockaddr_in loopback(int at) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(at), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void send_at_once(int fd) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

static int dial(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = loopback(port);
    send_at_once(fd);
    if (connect(fd, (void *)&to, sizeof to)) fail("connect");
    return fd;
}

static void threads(int number, void *(*run)(void *), void *argument, pthread_t *made) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK);
    for (int i = 0; i < number; i++)
        if (pthread_create(&made[i], &small, run, argument)) fail("pthread_create");
}

// Threads that all accept, rather than a new one for each connection: so proc(5) still counts what each has used.
static void *accept_and_answer(void *answer) {
    for (int client; (client = accept(listener, NULL, NULL)) >= 0;) {
        send_at_once(client);
        ((void (*)(int))answer)(client);
    }
    fail("accept");
    return NULL;
}

static int serve(void (*answer)(int client)) {
    struct sockaddr_in at = loopback(0);
    socklen_t length = sizeof at;
    pthread_t made[THREADS];
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (void *)&at, length) || listen(listener, 4096)) fail("listen");
    getsockname(listener, (void *)&at, &length);
    threads(THREADS, accept_and_answer, answer, made);
    printf("port %d\n", ntohs(at.sin_port));
    fflush(stdout);
    return pause();
}

// FIN, and waiting for the peer's: the kernel may reset a socket that is closed before all of it was taken. What
// fails is reset on purpose, as only a whole reply may end in a FIN.
static void finish(int fd, int whole) {
    if (!whole) setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    else if (shutdown(fd, SHUT_WR) == 0)
        while (recv(fd, NULL, BLOCK, MSG_TRUNC) > 0);
    close(fd);
}

// The body is sent as programs send: copied from memory, here more of it than a cache holds. Each reply goes on
// where the last one ended, so that nothing is hot from before. With sendfile every page of 4 KiB would stay a
// fragment of its own on the whole way, for which relays that splice pay at every hop.
static void origin(int client) {
    char text[MESSAGE_MAX];
    ssize_t asked = recv(client, text, sizeof text, 0), left = asked > 0 ? bytes : 0, out;
    off_t from = __atomic_fetch_add(&sent, left, __ATOMIC_RELAXED) % BODY;
    if (asked > 4 && !memcmp(text, "GET ", 4))
        send(client, text, sprintf(text, HEAD, bytes), left ? MSG_MORE : 0);
    for (; left > 0; left -= out, from = (from + out) % BODY) {
        ssize_t here = left < BODY - from ? left : BODY - from;
        if ((out = send(client, body + from, here < BLOCK ? here : BLOCK, MSG_NOSIGNAL)) <= 0) break;
    }
    finish(client, left == 0);
}

static void silent(int client) {
    (void)client;
}

// Returns whether all bytes up to FIN were moved.
static int splice_all(int from, int to) {
    int ends[2];
    ssize_t in, out = 1;
    if (pipe(ends)) fail("pipe");
    fcntl(ends[1], F_SETPIPE_SZ, BLOCK);
    while (out > 0 && (in = splice(from, NULL, ends[1], NULL, BLOCK, SPLICE_F_MOVE)) > 0)
        for (; in > 0 && (out = splice(ends[0], NULL, to, NULL, in, SPLICE_F_MOVE)) > 0; in -= out);
    close(ends[0]);
    close(ends[1]);
    return in == 0;
}

static void relay(int client) {
    int upstream = dial(), whole = 0;
    char text[MESSAGE_MAX];
    ssize_t length = recv(client, text, sizeof text, 0);
    if (length > 0 && send(upstream, text, length, 0) == length) whole = splice_all(upstream, client);
    close(upstream);
    finish(client, whole);
}

// Reads to FIN, dropping the body inside the kernel. Ends the program unless exactly `bytes` of body came.
static void fetch(void) {
    int fd = dial();
    char text[MESSAGE_MAX + 1], *body = text, *field;
    ssize_t got, length = 0;
    long long received = 0, announced = bytes;
    if (send(fd, message, strlen(message), 0) < 0) fail("send");
    if (!memcmp(message, "GET ", 4)) {
        for (text[0] = 0; !(body = strstr(text, "\r\n\r\n")); text[length += got] = 0)
            if ((got = recv(fd, text + length, MESSAGE_MAX - length, 0)) <= 0) break;
        if (!body || strncmp(text, "HTTP/1.1 200 ", 13)) fprintf(stderr, "no good reply: %s\n", text), exit(1);
        announced = (field = strcasestr(text, "\r\nContent-Length:")) ? atoll(field + 17) : -1;
        received = text + length - (body + 4);
    }
    while ((got = recv(fd, NULL, BLOCK, MSG_TRUNC)) > 0) received += got;
    if (got < 0) fail("recv");
    if (received != bytes || announced != bytes)
        fprintf(stderr, "%lld of %lld bytes came\n", received, bytes), exit(1);
    close(fd);
}

static void *fetch_in_turn(void *unused) {
    pthread_barrier_wait(&start);
    for (int mine; (mine = __atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED)) < count;) {
        double at = now();
        if (mine == 0) began = at;
        fetch();
        seconds[mine] = now() - at;
    }
    return unused;
}

// Fetches `count` replies, `flows` at a time; the seconds of all together. The first reply starts the clock: this
// thread may be late to see that all others run.
static double fetch_all(int flows) {
    pthread_t made[flows];
    seconds = calloc(count, sizeof *seconds);
    pthread_barrier_init(&start, NULL, flows + 1);
    threads(flows, fetch_in_turn, NULL, made);
    pthread_barrier_wait(&start);
    for (int i = 0; i < flows; i++) pthread_join(made[i], NULL);
    return now() - began;
}

static int ascending(const void *a, const void *b) {
    return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b);
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && !strcmp(mode, "origin")) {
        bytes = atoll(argv[2]);
        body = memset(malloc(BODY), 'v', BODY);
        return serve(origin);
    }
    if (argc == 2 && !strcmp(mode, "silent")) return serve(silent);
    if (argc > 2) port = atoi(argv[2]);
    if (argc == 3 && !strcmp(mode, "relay")) return serve(relay);
    if (argc > 3) message = argv[3];
    if (argc == 6 && !strcmp(mode, "sink")) {
        count = atoi(argv[4]), bytes = atoll(argv[5]);
        printf("%.6f", fetch_all(count));
        for (int i = 0; i < count; i++) printf(" %.6f", seconds[i]);
        return puts("") < 0;
    }
    if (argc == 7 && !strcmp(mode, "replies")) {
        bytes = atoll(argv[4]), count = atoi(argv[6]);
        double all = fetch_all(atoi(argv[5]));
        qsort(seconds, count, sizeof *seconds, ascending);
        return printf("%.6f %.6f\n", all, seconds[count / 2]) < 0;
    }
    if (argc == 5 && !strcmp(mode, "hold")) {
        for (count = atoi(argv[4]); count > 0; count--) {
            int fd = dial();
            if (send(fd, message, strlen(message), 0) < 0) fail("send");
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
        }
        puts("held");
        fflush(stdout);
        return pause();
    }
    fputs("usage: see the head of load.c\n", stderr);
    return 2;
}
