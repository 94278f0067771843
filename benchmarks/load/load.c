// The load generator: thousands of members on one core, every delivery checked for order and completeness.
//
// load HOST:PORT [--protocol NAME] [--rooms N] [--senders N] [--bytes N] [--pid N]
//      [--patience SECONDS] COMMAND...
//
// Each COMMAND is one argument; without any, commands are lines of the standard input. Each is answered by one line of
// JSON. A message that is lost, doubled, out of order or damaged, or a connection that breaks, ends the run with status 1.
//
//   connect N [at=64]                       connect until there are N members, so many handshakes at once
//   idle SECONDS                            answer pings, no more
//   run [flight=1 | rate=N] [seconds=3]     each room's senders talk: each keeps `flight` messages in flight, or all
//       [acks=0] [messages=N]               together send `rate` messages a second. A message is no longer in flight
//                                           when every member of its room but the author has it (and, with acks=1,
//                                           when it is acknowledged). With `messages`, no more than these are sent.
//   storm N [over=5] [rate=20] [after=3]    the senders talk while N more people connect and take a name; the last
//                                           command if they cannot all do so within 30 seconds more
//   stall N                                 N members stop reading
//   resume                                  they read again; those that were closed return and say where they left
//
// The first members of each room are its senders. With --pid, the server's processor time and memory are in the answers.
// What is missing is waited for with --patience, 10 seconds.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"

typedef struct {
    const char *name, *path; // %s: the room
    const char *opened;      // how the frame begins that a new connection is sent; NULL: none is awaited
    const char *enter;       // what is said then
    const char *entered;     // how the answer begins
    const char *name_me;     // %s: a nickname
    const char *named;       // what the answer holds
    const char *say;         // %s: the text
} Protocol;

static const Protocol PROTOCOLS[] = {
    {"socketio", "/socket.io/?EIO=4&transport=websocket&room=%s", "0{", "40", "40{", "42[\"setPseudo\",\"%s\"]",
     "\"pseudoStatus\",\"ok\"", "42[\"message\",\"%s\"]"},
    {"websocket", "/?room=%s", NULL, NULL, NULL, "[\"setPseudo\",\"%s\"]", "\"pseudoStatus\",\"ok\"", "[\"message\",\"%s\"]"},
    {"pychat", "/ws?room=%s", NULL, NULL, "{\"type\":\"welcome\"", "{\"type\":\"join\",\"name\":\"%s\",\"ref\":0}",
     "\"ok\":true", "{\"type\":\"say\",\"text\":\"%s\"}"},
};

enum { RING = 1 << 14, TEXT = 8192, STAMP = 33, BUFFER = 1 << 20, UNKNOWN = UINT32_MAX };
typedef enum { DIALLING, UPGRADING, OPENING, ENTERING, NAMING, READY, CLOSED } State;

typedef struct Sender Sender;
typedef struct {
    int fd, number, room;
    State state;
    bool settled;           // was here before the talk began, so every message must come
    bool stalled, returned; // stopped reading; came back after being closed
    bool gap;               // came back and missed something
    int code;               // of the close frame
    int people;             // as the last nbUsers had it
    uint64_t presences, dialled;
    uint32_t *expected; // the next message of each of the room's senders
    Sender *sender;     // of this member, if it is one
    char *rest;         // the beginning of a frame whose end has not come
    size_t rest_size;
    char *unsent;
    size_t unsent_size;
    char pid[256], offset[128];
} Member;

struct Sender {
    Member *member;
    int number, room, flying, unacknowledged;
    uint32_t next;
    uint32_t left[RING]; // how many members do not have a message yet
};

static struct {
    const Protocol *protocol;
    struct sockaddr_in address;
    char host[64];
    int rooms, senders, bytes, pid;
    double patience;
} given = {.protocol = PROTOCOLS, .rooms = 1, .senders = 1, .bytes = 64, .patience = 10};

static int poller;
static Member *members;
static Sender *senders; // of room r: senders[r * given.senders] and those after it
static int *settled;    // members of each room that must get every message
static int count, ready;
static uint64_t now;
static Histogram latency, connecting;
static uint64_t deliveries, messages, acknowledged;
static struct { int target, at, opening; bool names; uint64_t pace, next; } dial;
static struct { bool on, acks; int flight, turn; uint64_t pace, next, until, most; } talk;
static char buffer[BUFFER + TEXT * 2], padding[TEXT];

static uint64_t clock_now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

// Edge-triggered, so that a socket that has been read empty costs nothing until more comes.
static void watch(Member *member) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = member};
    epoll_ctl(poller, EPOLL_CTL_ADD, member->fd, &event);
}

static void send_bytes(Member *member, const char *bytes, size_t size) {
    if (!member->unsent_size) {
        ssize_t sent = send(member->fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return; // reading tells why
        if (sent > 0) bytes += sent, size -= (size_t)sent;
        if (!size) return;
    }
    member->unsent = realloc(member->unsent, member->unsent_size + size);
    memcpy(member->unsent + member->unsent_size, bytes, size);
    member->unsent_size += size;
}

static void send_rest(Member *member) {
    ssize_t sent = send(member->fd, member->unsent, member->unsent_size, MSG_NOSIGNAL);
    if (sent <= 0) return;
    member->unsent_size -= (size_t)sent;
    memmove(member->unsent, member->unsent + sent, member->unsent_size);
}

// A client's frame is masked; the key 0 leaves the payload as it is.
static void send_frame(Member *member, int opcode, const char *payload, size_t size) {
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
    send_bytes(member, frame, head + 4 + size);
}

static void send_text(Member *member, const char *format, const char *argument) {
    static char text[TEXT];
    int size = snprintf(text, sizeof text, format, argument);
    send_frame(member, 1, text, (size_t)size);
}

static const char *room_name(int room) {
    static char name[16];
    if (given.rooms == 1) return "lobby";
    snprintf(name, sizeof name, "r%d", room);
    return name;
}

// ---- What is said: ~ room sender sequence stamp, all in hexadecimal digits, then x to the length wanted, and !

static void say(Sender *sender, uint64_t stamp) {
    char text[TEXT], numbered[TEXT];
    int size = snprintf(text, sizeof text, "~%04x%04x%08x%016lx", sender->room, sender->number, sender->next, stamp);
    snprintf(text + size, sizeof text - (size_t)size, "%.*s!", given.bytes - size - 1, padding);
    uint32_t *left = &sender->left[sender->next % RING];
    if (*left) fail("more than %d messages are in flight", RING);
    *left = (uint32_t)(settled[sender->room] - (sender->member->settled ? 1 : 0) + (talk.acks ? 1 : 0));
    const char *format = given.protocol->say;
    if (talk.acks) { // Socket.IO: the number stands between 42 and the array
        snprintf(numbered, sizeof numbered, "42%u%s", sender->next, format + 2);
        format = numbered;
    }
    sender->next++;
    sender->flying++;
    messages++;
    send_text(sender->member, format, text);
}

static void one_has_it(Sender *sender, uint32_t sequence) {
    if (--sender->left[sequence % RING]) return;
    sender->flying--;
    if (talk.on && talk.flight && now < talk.until && messages < talk.most) say(sender, clock_now());
}

static void talk_more(void) {
    if (!talk.on || now >= talk.until) return;
    while (talk.pace && talk.next <= now) {
        say(&senders[talk.turn++ % (given.rooms * given.senders)], talk.next); // from when it was due
        talk.next += talk.pace;
    }
}

static uint64_t hexadecimal(const char *digits, int size) {
    uint64_t value = 0;
    for (int i = 0; i < size; i++) {
        unsigned digit = (unsigned char)digits[i];
        value = value << 4 | ((digit & 15) + (digit >> 6) * 9);
    }
    return value;
}

static void on_delivery(Member *member, const char *text, size_t size) {
    if (size <= (size_t)given.bytes || text[given.bytes - 1] != '!' || text[given.bytes] != '"')
        fail("member %d was sent a damaged message: %.60s", member->number, text);
    int room = (int)hexadecimal(text + 1, 4), number = (int)hexadecimal(text + 5, 4);
    uint32_t sequence = (uint32_t)hexadecimal(text + 9, 8);
    uint64_t stamp = hexadecimal(text + 17, 16);
    if (room != member->room) fail("member %d of room %d was sent a message of room %d", member->number, member->room, room);
    Sender *sender = &senders[room * given.senders + number];
    if (sender->member == member) fail("member %d was sent its own message", member->number);
    uint32_t *expected = &member->expected[number];
    if (*expected == UNKNOWN) *expected = sequence;
    if (*expected != sequence) {
        if (!member->returned)
            fail("member %d was sent message %u of sender %d, not %u", member->number, sequence, number, *expected);
        member->gap = true;
    }
    *expected = sequence + 1;
    deliveries++;
    if (!member->settled) return;
    histogram_add(&latency, now - stamp);
    one_has_it(sender, sequence);
}

// ---- Connecting

static void dial_one(Member *member) {
    member->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (member->fd < 0) fail("no more sockets: %s (ulimit -n)", strerror(errno));
    int one = 1;
    setsockopt(member->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(member->fd, (struct sockaddr *)&given.address, sizeof given.address) && errno != EINPROGRESS)
        fail("cannot connect: %s", strerror(errno));
    watch(member);
    member->state = DIALLING;
    member->dialled = now;
    dial.opening++;
}

static void dial_more(void) {
    while (count < dial.target && dial.opening < dial.at && (!dial.pace || dial.next <= now)) {
        Member *member = &members[count];
        int place = count / given.rooms;
        member->number = count;
        member->room = count % given.rooms;
        member->expected = malloc(sizeof(uint32_t) * (size_t)given.senders);
        for (int i = 0; i < given.senders; i++) member->expected[i] = UNKNOWN;
        if (place < given.senders) {
            member->sender = &senders[member->room * given.senders + place];
            member->sender->member = member;
            member->sender->room = member->room;
            member->sender->number = place;
        }
        count++;
        dial.next += dial.pace;
        dial_one(member);
    }
}

static void on_ready(Member *member) {
    member->state = READY;
    dial.opening--;
    ready++;
    histogram_add(&connecting, now - member->dialled);
}

static void on_entered(Member *member) {
    char name[32];
    if (!member->returned && (member->sender || dial.names)) {
        member->state = NAMING;
        snprintf(name, sizeof name, "Guest%d", member->number);
        send_text(member, given.protocol->name_me, name);
    } else {
        on_ready(member);
    }
}

static bool begins(const char *payload, size_t size, const char *with) {
    return !with || (size >= strlen(with) && !memcmp(payload, with, strlen(with)));
}

static bool holds(const char *payload, size_t size, const char *words) {
    return memmem(payload, size, words, strlen(words)) != NULL;
}

static void enter(Member *member) {
    char words[512];
    member->state = ENTERING;
    if (!given.protocol->enter) {
        if (!given.protocol->entered) on_entered(member);
    } else if (member->returned) {
        snprintf(words, sizeof words, "40{\"pid\":\"%s\",\"offset\":\"%s\"}", member->pid, member->offset);
        send_frame(member, 1, words, strlen(words));
    } else {
        send_text(member, given.protocol->enter, "");
    }
}

// ---- What comes

static void on_text(Member *member, const char *payload, size_t size) {
    const char *found;
    if (size == 1 && *payload == '2') {
        send_frame(member, 1, "3", 1);
    } else if (member->state == OPENING && begins(payload, size, given.protocol->opened)) {
        enter(member);
    } else if (member->state == ENTERING && begins(payload, size, given.protocol->entered)) {
        if ((found = memmem(payload, size, "\"pid\":\"", 7)) && !member->returned)
            sscanf(found + 7, "%255[^\"]", member->pid);
        on_entered(member);
    } else if ((found = memmem(payload, size, "\"nb\":", 5))) {
        member->people = atoi(found + 5);
        member->presences++;
    } else if (begins(payload, size, "43")) {
        uint32_t sequence = (uint32_t)atoi(payload + 2);
        if (!holds(payload, size, "\"ok\":true")) fail("refused: %.*s", (int)size, payload);
        acknowledged++;
        one_has_it(member->sender, sequence);
    } else if (member->state == NAMING && holds(payload, size, given.protocol->named)) {
        on_ready(member);
    } else if (begins(payload, size, "41") || begins(payload, size, "44") || holds(payload, size, "error")) {
        fail("member %d was told %.*s", member->number, (int)size, payload);
    }
}

static void on_frame(Member *member, int opcode, const char *payload, size_t size) {
    if (opcode == 9) {
        send_frame(member, 10, payload, size);
    } else if (opcode == 8) {
        member->code = size < 2 ? 1005 : (unsigned char)payload[0] << 8 | (unsigned char)payload[1];
        send_frame(member, 8, payload, size < 2 ? 0 : 2);
        if (!member->stalled) fail("member %d was closed with %d %.*s", member->number, member->code, (int)size - 2, payload + 2);
    } else if (opcode < 3) {
        const char *text = memchr(payload, '~', size);
        if (text && text > payload && text[-1] == '"' && member->state == READY) {
            on_delivery(member, text, size - (size_t)(text - payload));
            if (member->stalled) { // the last argument is where it is
                const char *end = memrchr(payload, '"', size), *start = memrchr(payload, '"', (size_t)(end - payload));
                snprintf(member->offset, sizeof member->offset, "%.*s", (int)(end - start - 1), start + 1);
            }
        } else {
            on_text(member, payload, size);
        }
    }
}

// Hand on whole frames; how many bytes were used.
static size_t take_frames(Member *member, const char *bytes, size_t size) {
    size_t used = 0;
    if (member->state == UPGRADING) {
        const char *end = memmem(bytes, size, "\r\n\r\n", 4);
        if (!end) return 0;
        if (!begins(bytes, size, "HTTP/1.1 101")) fail("no WebSocket: %.*s", (int)(end - bytes), bytes);
        used = (size_t)(end - bytes) + 4;
        member->state = OPENING;
        if (!given.protocol->opened) enter(member);
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
        if (length > BUFFER / 2 || !(head[0] & 0x80)) fail("member %d was sent a frame that is too long or in parts", member->number);
        if (size - used < start + length) break;
        on_frame(member, head[0] & 15, bytes + used + start, length);
        used += start + length;
    }
    return used;
}

static void on_end(Member *member) {
    if (!member->stalled) fail("member %d: the server closed the connection", member->number);
    close(member->fd);
    if (member->state == READY) ready--;
    else dial.opening--;
    member->state = CLOSED;
    member->rest_size = member->unsent_size = 0;
}

// Read once; true if there may be more.
static bool on_readable(Member *member) {
    if (member->rest_size) memcpy(buffer, member->rest, member->rest_size);
    ssize_t got = recv(member->fd, buffer + member->rest_size, BUFFER / 2, 0);
    now = clock_now();
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (got <= 0) {
        on_end(member);
        return false;
    }
    size_t size = member->rest_size + (size_t)got, used = take_frames(member, buffer, size);
    member->rest_size = size - used;
    if (member->rest_size) {
        member->rest = realloc(member->rest, member->rest_size);
        memcpy(member->rest, buffer + used, member->rest_size);
    }
    return got == BUFFER / 2;
}

static void on_writable(Member *member) {
    if (member->state == DIALLING) {
        char path[256], request[512];
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(member->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) fail("cannot connect: %s", strerror(error));
        snprintf(path, sizeof path, given.protocol->path, room_name(member->room));
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                 path, given.host);
        member->state = UPGRADING;
        send_bytes(member, request, strlen(request));
    } else if (member->unsent_size) {
        send_rest(member);
    }
}

// One look at what has come, and at what is due. True if there is something on the standard input.
static bool turn(bool input) {
    struct epoll_event events[512];
    now = clock_now();
    dial_more();
    talk_more();
    uint64_t due = now + 20000000;
    if (talk.on && talk.pace && talk.next < due) due = talk.next;
    if (dial.pace && count < dial.target && dial.next < due) due = dial.next;
    int wait = due <= now ? 0 : (int)((due - now) / 1000000); // the last millisecond is waited for awake
    int found = epoll_wait(poller, events, 512, wait);
    now = clock_now();
    for (int i = 0; i < found; i++) {
        Member *member = events[i].data.ptr;
        if (!member) {
            if (input) return true; // else it is level-triggered, and is seen later
            continue;
        }
        if (events[i].events & EPOLLOUT) on_writable(member);
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP))
            while (on_readable(member) || (events[i].events & EPOLLRDHUP && member->state != CLOSED)) {}
    }
    return false;
}

// ---- Commands

static double option(const char *command, const char *name, double otherwise) {
    char words[32];
    snprintf(words, sizeof words, " %s=", name);
    const char *found = strstr(command, words);
    return found ? atof(found + strlen(words)) : otherwise;
}

static void settle(void) {
    memset(settled, 0, sizeof(int) * (size_t)given.rooms);
    for (int i = 0; i < count; i++) {
        Member *member = &members[i];
        member->settled = member->state == READY && !member->stalled && !member->gap;
        if (!member->settled) continue;
        settled[member->room]++;
        for (int k = 0; k < given.senders; k++) member->expected[k] = senders[member->room * given.senders + k].next;
    }
}

// Wait until all members but those that stopped reading have everything.
static void drain(void) {
    uint64_t since = now, seen = deliveries + acknowledged;
    talk.on = false;
    for (;;) {
        bool done = true;
        for (int i = 0; i < count && done; i++) {
            Member *member = &members[i];
            for (int k = 0; k < given.senders && !member->stalled; k++) {
                Sender *sender = &senders[member->room * given.senders + k];
                done &= !sender->flying && (sender->member == member || member->expected[k] == UNKNOWN || member->expected[k] == sender->next);
            }
        }
        if (done) return;
        turn(false);
        if (deliveries + acknowledged != seen) since = now, seen = deliveries + acknowledged;
        if ((double)(now - since) > given.patience * 1e9) fail("messages are missing: nothing has come for %g seconds", given.patience);
    }
}

static void start_talking(double flight, double rate, double seconds, bool acks) {
    now = clock_now();
    talk.on = true;
    talk.acks = acks;
    talk.most = UINT64_MAX;
    talk.flight = (int)flight;
    talk.pace = rate > 0 ? (uint64_t)(1e9 / rate) : 0;
    talk.next = now;
    talk.until = now + (uint64_t)(seconds * 1e9);
    for (int i = 0; i < given.rooms * given.senders && !talk.pace; i++)
        for (int k = 0; k < talk.flight; k++) say(&senders[i], clock_now());
}

static void connect_until(int target) {
    uint64_t since = now;
    int before = ready;
    dial.target = target;
    while (ready < target) {
        turn(false);
        if (ready != before) since = now, before = ready;
        if (now - since > 20000000000u) fail("only %d of %d are connected, and nothing happens", ready, target);
    }
}

static void do_connect(const char *command) {
    dial.at = (int)option(command, "at", 64);
    connect_until(atoi(command + 8));
    uint64_t until = now + 300000000; // presence is told to all a moment later
    while (now < until) turn(false);
    settle();
}

static void do_run(const char *command) {
    double rate = option(command, "rate", 0);
    if (option(command, "acks", 0) > 0 && given.protocol != PROTOCOLS) fail("acks are for Socket.IO");
    start_talking(rate > 0 ? 0 : option(command, "flight", 1), rate, option(command, "seconds", 3), option(command, "acks", 0) > 0);
    talk.most = (uint64_t)option(command, "messages", 1e18);
    while (now < talk.until && messages < talk.most) turn(false);
    drain();
}

static int people_right(void) {
    int right = 0;
    for (int i = 0; i < count; i++) right += members[i].people == count && members[i].state == READY;
    return right;
}

static void do_storm(const char *command) {
    int newcomers = atoi(command + 6), before = count;
    double over = option(command, "over", 5), after = option(command, "after", 3);
    uint64_t all_in = 0, all_right = 0, most = 0, told = 0;
    for (int i = 0; i < count; i++) members[i].presences = 0;
    start_talking(0, option(command, "rate", 20), 3600, false);
    dial.names = true;
    dial.at = 512;
    dial.pace = (uint64_t)(over * 1e9 / newcomers);
    dial.next = now;
    dial.target = count + newcomers;
    uint64_t begun = now, until = now + (uint64_t)((over + 30) * 1e9);
    while (now < until) {
        turn(false);
        if (!all_in && ready == dial.target) all_in = now, until = now + (uint64_t)(after * 1e9);
        if (all_in && !all_right && people_right() == count) all_right = now;
    }
    int entered = ready - before;
    talk.until = now;
    if (all_in) drain(); // else the server is overwhelmed, and there is no use in going on with it
    for (int i = 0; i < before; i++) {
        told += members[i].presences;
        if (members[i].presences > most) most = members[i].presences;
    }
    dial.names = false;
    dial.pace = 0;
    settle();
    printf("\"entered\": %d, \"entered_in\": %.3f, \"right_after\": %.3f, \"presences_each\": %.1f, \"presences_most\": %lu, ",
           entered, all_in ? (double)(all_in - begun) / 1e9 : -1.0, all_right ? (double)(all_right - all_in) / 1e9 : -1.0,
           (double)told / before, most);
}

static void do_stall(const char *command) {
    int wanted = atoi(command + 6);
    for (int i = count - 1; i >= 0 && wanted; i--) {
        Member *member = &members[i];
        if (member->sender || member->stalled) continue;
        epoll_ctl(poller, EPOLL_CTL_DEL, member->fd, NULL);
        member->stalled = true;
        wanted--;
    }
    settle();
}

static bool caught_up(const Member *member) {
    for (int k = 0; k < given.senders; k++)
        if (member->expected[k] != senders[member->room * given.senders + k].next) return false;
    return true;
}

static void do_resume(void) {
    int stalled = 0, closed = 0, code = 0, returns = 0, recovered = 0;
    for (int i = 0; i < count; i++)
        if (members[i].stalled) stalled++, watch(&members[i]);
    uint64_t until = now + 20000000000u;
    for (bool waiting = true; waiting && now < until;) {
        turn(false);
        waiting = false;
        for (int i = 0; i < count; i++) {
            Member *member = &members[i];
            if (!member->stalled) continue;
            if (member->state == CLOSED) {
                if (member->code) code = member->code;
                if (!member->returned) closed++;
                member->returned = true;
                returns++;
                dial_one(member);
            }
            waiting |= member->state != READY || !caught_up(member);
        }
    }
    for (int i = 0; i < count; i++) {
        Member *member = &members[i];
        bool there = member->state == READY && caught_up(member);
        if (member->stalled) recovered += there && !member->gap;
        member->stalled &= !there;
    }
    settle();
    printf("\"stalled\": %d, \"closed\": %d, \"code\": %d, \"returns\": %d, \"caught_up\": %d, ", stalled, closed, code,
           returns, recovered);
}

// The server's seconds of processor, its memory and the most that it had, in KiB.
static double server_used(long *memory, long *peak) {
    char path[64], line[1024];
    unsigned long user = 0, system = 0;
    *memory = *peak = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", given.pid);
    FILE *file = given.pid ? fopen(path, "r") : NULL;
    if (!file) return 0;
    if (fgets(line, sizeof line, file))
        sscanf(strrchr(line, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    fclose(file);
    snprintf(path, sizeof path, "/proc/%d/status", given.pid);
    if ((file = fopen(path, "r"))) {
        while (fgets(line, sizeof line, file)) {
            sscanf(line, "VmRSS: %ld", memory);
            sscanf(line, "VmHWM: %ld", peak);
        }
        fclose(file);
    }
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double own_used(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void obey(const char *command) {
    long memory, peak;
    int before = ready;
    now = clock_now();
    double used = server_used(&memory, &peak), own = own_used();
    uint64_t begun = now;
    deliveries = messages = acknowledged = 0;
    histogram_clear(&latency);
    histogram_clear(&connecting);
    printf("{\"command\": \"%s\", ", command);
    if (!strncmp(command, "connect ", 8)) do_connect(command);
    else if (!strncmp(command, "idle", 4)) for (uint64_t until = now + (uint64_t)(atof(command + 4) * 1e9); now < until;) turn(false);
    else if (!strncmp(command, "run", 3)) do_run(command);
    else if (!strncmp(command, "storm ", 6)) do_storm(command);
    else if (!strncmp(command, "stall ", 6)) do_stall(command);
    else if (!strcmp(command, "resume")) do_resume();
    else fail("no such command: %s", command);
    now = clock_now();
    double seconds = (double)(now - begun) / 1e9;
    double cpu = server_used(&memory, &peak) - used;
    printf("\"seconds\": %.3f, \"members\": %d, \"connected\": %d, \"messages\": %lu, \"deliveries\": %lu, "
           "\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f, \"connect_p99\": %.3f, ",
           seconds, ready, ready - before, messages, deliveries, histogram_at(&latency, 0.5), histogram_at(&latency, 0.99),
           (double)latency.largest / 1e6, histogram_at(&connecting, 0.99));
    printf("\"cpu\": %.3f, \"cpu_us\": %.3f, \"memory_kib\": %ld, \"peak_kib\": %ld, \"busy\": %.3f}\n", cpu,
           deliveries ? cpu / (double)deliveries * 1e6 : ready > before ? cpu / (ready - before) * 1e6 : 0, memory, peak,
           (own_used() - own) / seconds);
    fflush(stdout);
}

static void obey_lines(void) {
    char line[512];
    size_t size = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, 0, &event)) fail("the standard input must be a pipe or a terminal");
    for (;;) {
        if (!turn(true)) continue;
        ssize_t got = read(0, line + size, sizeof line - 1 - size);
        if (got <= 0) return;
        size += (size_t)got;
        line[size] = 0;
        for (char *end; (end = strchr(line, '\n'));) {
            *end++ = 0;
            obey(line);
            size -= (size_t)(end - line);
            memmove(line, end, size + 1);
        }
    }
}

int main(int argc, char **argv) {
    int at = 2;
    if (argc < 2) fail("usage: load HOST:PORT [--OPTION VALUE]... [COMMAND]...");
    for (; at + 1 < argc && !strncmp(argv[at], "--", 2); at += 2) {
        const char *name = argv[at] + 2, *value = argv[at + 1];
        if (!strcmp(name, "protocol")) {
            given.protocol = NULL;
            for (size_t i = 0; i < sizeof PROTOCOLS / sizeof *PROTOCOLS; i++)
                if (!strcmp(PROTOCOLS[i].name, value)) given.protocol = &PROTOCOLS[i];
            if (!given.protocol) fail("no protocol %s", value);
        }
        else if (!strcmp(name, "rooms")) given.rooms = atoi(value);
        else if (!strcmp(name, "senders")) given.senders = atoi(value);
        else if (!strcmp(name, "bytes")) given.bytes = atoi(value);
        else if (!strcmp(name, "pid")) given.pid = atoi(value);
        else if (!strcmp(name, "patience")) given.patience = atof(value);
        else fail("no option --%s", name);
    }
    if (given.bytes < STAMP + 1 || given.bytes > TEXT / 2) fail("--bytes must be from %d to %d", STAMP + 1, TEXT / 2);
    snprintf(given.host, sizeof given.host, "%s", argv[1]);
    char *port = strchr(argv[1], ':');
    if (!port) fail("HOST:PORT, for example 127.0.0.1:3000");
    *port++ = 0;
    given.address.sin_family = AF_INET;
    given.address.sin_port = htons((uint16_t)atoi(port));
    if (!inet_pton(AF_INET, argv[1], &given.address.sin_addr)) fail("HOST is an IPv4 address");
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    memset(padding, 'x', sizeof padding);
    poller = epoll_create1(0);
    members = calloc(files.rlim_max < 65536 ? files.rlim_max : 65536, sizeof *members);
    senders = calloc((size_t)(given.rooms * given.senders), sizeof *senders);
    settled = calloc((size_t)given.rooms, sizeof *settled);
    if (at == argc) obey_lines();
    else while (at < argc) obey(argv[at++]);
    return 0;
}
