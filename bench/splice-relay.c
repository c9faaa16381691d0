// The least that a relay can do: what a kernel call per line makes obvious.
//   splice-relay NEXT_PORT        prints its port; loopback only, a thread for each connection
// Passes the first message on as it is, then splices the reply back. Build: cc -O2 -pthread
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIPE_BYTES = 1 << 20, MESSAGE_MAX = 16384 };
static int next_port;

static struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void send_at_once(int fd) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

static int dial(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = loopback(port);
    send_at_once(fd);
    if (connect(fd, (void *)&to, sizeof to) == 0) return fd;
    perror("connect");
    close(fd);
    return -1;
}

static void pump(int from, int to) {
    int ends[2];
    ssize_t in, out;
    if (pipe(ends)) return;
    fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
    while ((in = splice(from, NULL, ends[1], NULL, PIPE_BYTES, SPLICE_F_MOVE)) > 0)
        for (; in > 0; in -= out)
            if ((out = splice(ends[0], NULL, to, NULL, in, SPLICE_F_MOVE)) <= 0) goto done;
done:
    close(ends[0]);
    close(ends[1]);
}

static void *relay(void *arg) {
    int client = (int)(long)arg, upstream = dial(next_port);
    char message[MESSAGE_MAX];
    ssize_t length = recv(client, message, sizeof message, 0);
    if (upstream >= 0 && length > 0 && send(upstream, message, length, MSG_NOSIGNAL) == length)
        pump(upstream, client);
    close(upstream);
    close(client);
    return NULL;
}

int main(int argc, char **argv) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = loopback(0);
    socklen_t length = sizeof at;
    if (argc != 2) return 2;
    next_port = atoi(argv[1]);
    if (bind(listener, (void *)&at, length) || listen(listener, 4096)) return 1;
    getsockname(listener, (void *)&at, &length);
    printf("port %d\n", ntohs(at.sin_port));
    fflush(stdout);
    for (;;) {
        pthread_t thread;
        int client = accept(listener, NULL, NULL);
        if (client < 0) continue;
        send_at_once(client);
        if (pthread_create(&thread, NULL, relay, (void *)(long)client)) close(client);
        else pthread_detach(thread);
    }
}
