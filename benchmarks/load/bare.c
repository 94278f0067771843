// A room with nothing in it but send(): what the kernel alone takes for a delivery, and proof of what the generator takes.
//
// bare [--gather] [--lose N] [--swap N]
//
// Plain WebSocket, one room; it prints its port. Each message goes to all others by one send() for each member; with
// --gather, all that came in one turn of the loop goes by one. --lose leaves out every Nth delivery and --swap sends
// every Nth after the one that follows it, so that the generator's checks can be tested.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MEMBERS = 20000, BUFFER = 1 << 20 };
typedef struct {
    int author;
    size_t start, end;
} Said;

static const char HEAD[] = "[\"message\",{\"date\":\"2026-01-31T12:00:00.000Z\",\"pseudo\":\"Guest0\",\"message\":\"";
static char out[BUFFER * 2];
static Said said[BUFFER / 16];
static size_t said_count, out_size;
static bool open_[MEMBERS], upgraded[MEMBERS];
static int highest;
static long lose, swap, delivered;

static void send_all(int fd, const char *bytes, size_t size) {
    while (size) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return;
        if (sent > 0) bytes += sent, size -= (size_t)sent;
        else poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
    }
}

static size_t put_head(char *frame, size_t size) {
    frame[0] = (char)0x81;
    if (size < 126) return frame[1] = (char)size, 2;
    frame[1] = 126, frame[2] = (char)(size >> 8), frame[3] = (char)size;
    return 4;
}

static void add_message(int author, const char *text, size_t size) {
    size_t start = out_size, whole = sizeof HEAD - 1 + size + 3;
    out_size += put_head(out + out_size, whole);
    memcpy(out + out_size, HEAD, sizeof HEAD - 1);
    memcpy(out + out_size + sizeof HEAD - 1, text, size);
    memcpy(out + out_size + sizeof HEAD - 1 + size, "\"}]", 3);
    out_size += whole;
    said[said_count++] = (Said){author, start, out_size};
}

static void flush_to(int fd) {
    bool whole = !lose && !swap;
    for (size_t i = 0; i < said_count && whole; i++) whole = said[i].author != fd;
    if (whole) {
        send_all(fd, out, out_size);
        return;
    }
    const Said *late = NULL;
    for (size_t i = 0; i < said_count; i++) {
        if (said[i].author == fd) continue;
        delivered++;
        if (lose && delivered % lose == 0) continue;
        if (swap && delivered % swap == 0 && !late) {
            late = &said[i];
            continue;
        }
        send_all(fd, out + said[i].start, said[i].end - said[i].start);
        if (late) send_all(fd, out + late->start, late->end - late->start);
        late = NULL;
    }
    if (late) send_all(fd, out + late->start, late->end - late->start);
}

static void flush(void) {
    for (int fd = 0; fd <= highest && said_count; fd++)
        if (open_[fd] && upgraded[fd]) flush_to(fd);
    said_count = out_size = 0;
}

static void read_from(int fd, bool gather) {
    static char in[BUFFER];
    static const char accepted[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    static const char named[] = "\x81\x15[\"pseudoStatus\",\"ok\"]";
    ssize_t size = recv(fd, in, sizeof in, 0);
    if (size <= 0) {
        if (size < 0 && errno == EAGAIN) return;
        close(fd);
        open_[fd] = upgraded[fd] = false;
        return;
    }
    if (!upgraded[fd]) {
        upgraded[fd] = true;
        send_all(fd, accepted, sizeof accepted - 1);
        return;
    }
    for (char *at = in; at + 6 < in + size;) { // the generator sends whole frames, its mask is 0
        size_t length = at[1] & 127, start = 6;
        if (length == 126) length = (size_t)((unsigned char)at[2] << 8 | (unsigned char)at[3]), start = 8;
        char *payload = at + start;
        at = payload + length;
        if (at > in + size) break;
        if (length > 11 && !memcmp(payload, "[\"message\",", 11)) add_message(fd, payload + 12, length - 14);
        else send_all(fd, named, sizeof named - 1);
        if (!gather) flush();
    }
}

int main(int argc, char **argv) {
    bool gather = false;
    for (int i = 1; i < argc; i++) {
        gather |= !strcmp(argv[i], "--gather");
        if (!strcmp(argv[i], "--lose") && i + 1 < argc) lose = atol(argv[++i]);
        if (!strcmp(argv[i], "--swap") && i + 1 < argc) swap = atol(argv[++i]);
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < MEMBERS ? files.rlim_max : MEMBERS;
    setrlimit(RLIMIT_NOFILE, &files);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poller = epoll_create1(0);
    bind(listener, (struct sockaddr *)&address, size);
    listen(listener, 4096);
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int found = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < found; i++) {
            if (events[i].data.fd != listener) {
                read_from(events[i].data.fd, gather);
                continue;
            }
            for (int fd, one = 1; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                open_[fd] = true;
                if (fd > highest) highest = fd;
                event.data.fd = fd;
                epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
            }
        }
        flush();
    }
}
