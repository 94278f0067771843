#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// zlib's z_stream, as its library has it since 1995: every Debian has that, but few have its headers.
struct Inflater {
    const char *next_in;
    unsigned avail_in;
    unsigned long total_in;
    char *next_out;
    unsigned avail_out;
    unsigned long total_out;
    const char *msg;
    void *state, *zalloc, *zfree, *opaque;
    int data_type;
    unsigned long adler, reserved;
};
int inflateInit2_(Inflater *stream, int bits, const char *version, int size);
int inflate(Inflater *stream, int flush);
int inflateReset(Inflater *stream);
enum { Z_OK = 0, Z_STREAM_END = 1, Z_SYNC_FLUSH = 2, RAW = -15 };

struct Wires wires;
static char buffer[BUFFER + TEXT * 2], plain[BUFFER];

uint64_t clock_now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

bool begins(const char *payload, size_t size, const char *with) {
    return !with || (size >= strlen(with) && !memcmp(payload, with, strlen(with)));
}

// ---- Out

static void send_bytes(Wire *wire, const char *bytes, size_t size) {
    if (!wire->unsent_size && wire->state != DIALLING) {
        ssize_t sent = send(wire->fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return; // reading tells why
        if (sent > 0) bytes += sent, size -= (size_t)sent;
        if (!size) return;
    }
    wire->unsent = realloc(wire->unsent, wire->unsent_size + size);
    memcpy(wire->unsent + wire->unsent_size, bytes, size);
    wire->unsent_size += size;
}

// A client's frame is masked; the key 0 leaves the payload as it is.
static void send_frame(Wire *wire, int opcode, const char *payload, size_t size) {
    static char frame[TEXT * 2];
    size_t head = 0;
    frame[head++] = (char)(0x80 | opcode);
    if (size < 126) {
        frame[head++] = (char)(0x80 | size);
    } else {
        frame[head++] = (char)(0x80 | 126);
        frame[head++] = (char)(size >> 8);
        frame[head++] = (char)size;
    }
    memset(frame + head, 0, 4);
    memcpy(frame + head + 4, payload, size);
    send_bytes(wire, frame, head + 4 + size);
}

// Somebody who polls has one connection: a POST if there is something to say, else the GET that waits for more.
static void ask(Wire *wire) {
    char request[1024], *sid = wire->sid;
    size_t size = strlen(wire->post);
    int length = snprintf(request, sizeof request, "%s %s%s%s HTTP/1.1\r\nHost: %s\r\n", size ? "POST" : "GET", wire->path,
                          *sid ? "&sid=" : "", sid, wires.host);
    if (size) length += snprintf(request + length, sizeof request - (size_t)length,
                                 "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n", size);
    length += snprintf(request + length, sizeof request - (size_t)length, "\r\n%s", wire->post);
    wire->posting = size > 0;
    *wire->post = 0;
    send_bytes(wire, request, (size_t)length);
}

void wire_send(Wire *wire, const char *text, size_t size) {
    if (!wire->polls) {
        send_frame(wire, 1, text, size);
        return;
    }
    size_t waiting = strlen(wire->post);
    if (waiting + size + 2 > sizeof wire->post) fail("somebody who polls has too much to say");
    snprintf(wire->post + waiting, sizeof wire->post - waiting, "%s%.*s", waiting ? "\x1e" : "", (int)size, text);
}

void wire_watch(Wire *wire) {
    // Edge-triggered, so that a socket that has been read empty costs nothing until more comes.
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = wire};
    epoll_ctl(wires.poller, EPOLL_CTL_ADD, wire->fd, &event);
}

void wire_dial(Wire *wire, const char *path) {
    char request[1024];
    int one = 1;
    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (wire->fd < 0) fail("no more sockets: %s (ulimit -n)", strerror(errno));
    setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(wire->fd, (struct sockaddr *)&wires.address, sizeof wires.address) && errno != EINPROGRESS)
        fail("cannot connect: %s", strerror(errno));
    wire->state = DIALLING;
    snprintf(wire->path, sizeof wire->path, "%s", path);
    if (wire->polls) {
        ask(wire);
    } else {
        if (wire->inflater) inflateReset(wire->inflater);
        int size = snprintf(request, sizeof request,
                            "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n%s"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                            path, wires.host,
                            wires.deflate ? "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" : "");
        send_bytes(wire, request, (size_t)size);
    }
    wire_watch(wire);
}

void wire_writable(Wire *wire) {
    if (wire->state == DIALLING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) fail("cannot connect: %s", strerror(error));
        wire->state = wire->polls ? FLOWING : SHAKING_HANDS;
    }
    if (!wire->unsent_size) return;
    ssize_t sent = send(wire->fd, wire->unsent, wire->unsent_size, MSG_NOSIGNAL);
    if (sent <= 0) return;
    wire->unsent_size -= (size_t)sent;
    memmove(wire->unsent, wire->unsent + sent, wire->unsent_size);
}

// ---- In

static void take_deflated(Wire *wire, const char *payload, size_t size) {
    static char whole[BUFFER];
    Inflater *stream = wire->inflater;
    if (!stream) {
        stream = wire->inflater = calloc(1, sizeof *stream);
        if (inflateInit2_(stream, RAW, "1.2.0", sizeof *stream) != Z_OK) fail("no memory to inflate with");
    }
    memcpy(whole, payload, size);
    memcpy(whole + size, "\0\0\xff\xff", 4); // RFC 7692, 7.2.2
    stream->next_in = whole, stream->avail_in = (unsigned)size + 4;
    stream->next_out = plain, stream->avail_out = sizeof plain;
    int result = inflate(stream, Z_SYNC_FLUSH);
    if ((result != Z_OK && result != Z_STREAM_END) || !stream->avail_out) fail("a compressed frame is damaged: %d", result);
    if (result == Z_STREAM_END) inflateReset(stream);
    wires.inflated++;
    on_text(wire, plain, sizeof plain - stream->avail_out);
}

static void on_frame(Wire *wire, int head, const char *payload, size_t size) {
    int opcode = head & 15;
    if (opcode == 9) {
        send_frame(wire, 10, payload, size);
    } else if (opcode == 8) {
        int code = size < 2 ? 1005 : (unsigned char)payload[0] << 8 | (unsigned char)payload[1];
        send_frame(wire, 8, payload, size < 2 ? 0 : 2);
        on_close(wire, code, payload + (size < 2 ? 0 : 2), size < 2 ? 0 : size - 2);
    } else if (opcode < 3 && head & 0x40) {
        take_deflated(wire, payload, size);
    } else if (opcode < 3) {
        on_text(wire, payload, size);
    }
}

// Hand on whole frames; how many bytes were used.
static size_t take_frames(Wire *wire, const char *bytes, size_t size) {
    size_t used = 0;
    if (wire->state == SHAKING_HANDS) {
        const char *end = memmem(bytes, size, "\r\n\r\n", 4);
        if (!end) return 0;
        if (!begins(bytes, size, "HTTP/1.1 101")) fail("no WebSocket: %.*s", (int)(end - bytes), bytes);
        used = (size_t)(end - bytes) + 4;
        wire->state = FLOWING;
        on_open(wire);
    }
    while (size - used >= 2) {
        const unsigned char *head = (const unsigned char *)bytes + used;
        size_t length = head[1] & 127, start = 2;
        if (length == 126) {
            if (size - used < 4) break;
            length = (size_t)(head[2] << 8 | head[3]), start = 4;
        } else if (length == 127) {
            if (size - used < 10) break;
            length = (size_t)head[6] << 24 | (size_t)(head[7] << 16 | head[8] << 8 | head[9]), start = 10;
        }
        if (length > BUFFER / 2 || !(head[0] & 0x80)) fail("a frame is too long, or in parts");
        if (size - used < start + length) break;
        on_frame(wire, head[0], bytes + used + start, length);
        used += start + length;
    }
    return used;
}

// Hand on the packets of a whole answer to somebody who polls; how many bytes were used.
static size_t take_answer(Wire *wire, const char *bytes, size_t size) {
    char head[2048];
    const char *end = memmem(bytes, size, "\r\n\r\n", 4), *found;
    if (!end) return 0;
    snprintf(head, sizeof head, "%.*s", (int)(end - bytes), bytes);
    if (!begins(head, strlen(head), "HTTP/1.1 200") || !(found = strcasestr(head, "\r\ncontent-length:")))
        fail("somebody who polls was answered %s", head);
    size_t length = (size_t)atol(found + 17);
    const char *body = end + 4, *last = body + length;
    if (size < (size_t)(last - bytes)) return 0;
    if (!*wire->sid && (found = memmem(body, length, "\"sid\":\"", 7))) sscanf(found + 7, "%63[^\"]", wire->sid);
    for (const char *packet = body; !wire->posting && packet < last;) {
        const char *next = memchr(packet, 0x1e, (size_t)(last - packet));
        if (!next) next = last;
        on_text(wire, packet, (size_t)(next - packet));
        packet = next + 1;
    }
    ask(wire);
    return (size_t)(last - bytes);
}

bool wire_readable(Wire *wire) {
    if (wire->rest_size) memcpy(buffer, wire->rest, wire->rest_size);
    ssize_t got = recv(wire->fd, buffer + wire->rest_size, BUFFER / 2, 0);
    wires.now = clock_now();
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (got <= 0) {
        wire->rest_size = wire->unsent_size = 0;
        wire->state = ENDED;
        close(wire->fd);
        on_end(wire);
        return false;
    }
    wires.bytes += (uint64_t)got;
    size_t size = wire->rest_size + (size_t)got;
    size_t used = wire->polls ? take_answer(wire, buffer, size) : take_frames(wire, buffer, size);
    wire->rest_size = size - used;
    if (wire->rest_size > BUFFER / 2) fail("an answer is too long");
    if (wire->rest_size) {
        wire->rest = realloc(wire->rest, wire->rest_size);
        memcpy(wire->rest, buffer + used, wire->rest_size);
    }
    return got == BUFFER / 2;
}
