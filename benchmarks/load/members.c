#define _GNU_SOURCE
#include "members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

const Protocol PROTOCOLS[] = {
    {"socketio", "/socket.io/?EIO=4&transport=%s&room=%s", "0{", "40", "40{", "42[\"setPseudo\",\"%s\"]",
     "\"pseudoStatus\",\"ok\"", "42[\"message\",\"%s\"]"},
    {"websocket", "/?transport=%s&room=%s", NULL, NULL, NULL, "[\"setPseudo\",\"%s\"]", "\"pseudoStatus\",\"ok\"", "[\"message\",\"%s\"]"},
    {"pychat", "/ws?transport=%s&room=%s", NULL, NULL, "{\"type\":\"welcome\"", "{\"type\":\"join\",\"name\":\"%s\",\"ref\":0}",
     "\"ok\":true", "{\"type\":\"say\",\"text\":\"%s\"}"},
};

struct Given given = {.protocol = PROTOCOLS, .rooms = 1, .senders = 1, .bytes = 64};
Member *members;
Sender *senders;
int count, ready;
Histogram latency, connecting;
uint64_t deliveries, messages, acknowledged;
struct Dial dial;
struct Talk talk;
static int *settled; // members of each room that must get every message
static char padding[TEXT];

const Protocol *protocol_named(const char *name) {
    for (size_t i = 0; i < sizeof PROTOCOLS / sizeof *PROTOCOLS; i++)
        if (!strcmp(PROTOCOLS[i].name, name)) return &PROTOCOLS[i];
    return NULL;
}

void make_members(size_t most) {
    memset(padding, 'x', sizeof padding);
    members = calloc(most, sizeof *members);
    senders = calloc((size_t)(given.rooms * given.senders), sizeof *senders);
    settled = calloc((size_t)given.rooms, sizeof *settled);
}

static void send_text(Member *member, const char *format, const char *argument) {
    static char text[TEXT];
    int size = snprintf(text, sizeof text, format, argument);
    wire_send(&member->wire, text, (size_t)size);
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
    if (talk.on && talk.flight && wires.now < talk.until && messages < talk.most) say(sender, clock_now());
}

static void talk_more(void) {
    if (!talk.on || wires.now >= talk.until) return;
    while (talk.pace && talk.next <= wires.now) {
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
    histogram_add(&latency, wires.now - stamp);
    one_has_it(sender, sequence);
}

void start_talking(int flight, double rate, double seconds, bool acks) {
    wires.now = clock_now();
    talk = (struct Talk){.on = true, .acks = acks, .flight = flight, .turn = talk.turn, .most = UINT64_MAX};
    talk.pace = rate > 0 ? (uint64_t)(1e9 / rate) : 0;
    talk.next = wires.now;
    talk.until = wires.now + (uint64_t)(seconds * 1e9);
    for (int i = 0; i < given.rooms * given.senders && !talk.pace; i++)
        for (int k = 0; k < talk.flight; k++) say(&senders[i], clock_now());
}

// ---- Connecting

static void dial_one(Member *member) {
    char path[256];
    snprintf(path, sizeof path, given.protocol->path, member->wire.polls ? "polling" : "websocket", room_name(member->room));
    member->state = OPENING;
    member->dialled = wires.now;
    dial.opening++;
    wire_dial(&member->wire, path);
}

void return_one(Member *member) {
    member->returned = true;
    dial_one(member);
}

static void dial_more(void) {
    while (count < dial.target && dial.opening < dial.at && (!dial.pace || dial.next <= wires.now)) {
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
        member->wire.polls = given.polling && !member->sender;
        count++;
        dial.next += dial.pace;
        dial_one(member);
    }
}

static void on_ready(Member *member) {
    member->state = READY;
    dial.opening--;
    ready++;
    histogram_add(&connecting, wires.now - member->dialled);
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
        wire_send(&member->wire, words, strlen(words));
    } else {
        send_text(member, given.protocol->enter, "");
    }
}

// ---- What comes

void on_open(Wire *wire) {
    if (!given.protocol->opened) enter((Member *)wire);
}

static void on_word(Member *member, const char *payload, size_t size) {
    const char *found;
    if (size == 1 && *payload == '2') {
        wire_send(&member->wire, "3", 1);
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

void on_text(Wire *wire, const char *payload, size_t size) {
    Member *member = (Member *)wire;
    const char *text = memchr(payload, '~', size);
    if (!text || text == payload || text[-1] != '"' || member->state != READY) {
        on_word(member, payload, size);
        return;
    }
    on_delivery(member, text, size - (size_t)(text - payload));
    if (!member->stalled) return;
    const char *end = memrchr(payload, '"', size), *start = memrchr(payload, '"', (size_t)(end - payload));
    snprintf(member->offset, sizeof member->offset, "%.*s", (int)(end - start - 1), start + 1); // the last argument: where it is
}

void on_close(Wire *wire, int code, const char *reason, size_t size) {
    Member *member = (Member *)wire;
    member->code = code;
    if (!member->stalled) fail("member %d was closed with %d %.*s", member->number, code, (int)size, reason);
}

void on_end(Wire *wire) {
    Member *member = (Member *)wire;
    if (!member->stalled) fail("member %d: the server closed the connection", member->number);
    if (member->state == READY) ready--;
    else dial.opening--;
    member->state = CLOSED;
}

bool turn(bool input) {
    struct epoll_event events[512];
    wires.now = clock_now();
    dial_more();
    talk_more();
    uint64_t due = wires.now + 20000000;
    if (talk.on && talk.pace && talk.next < due) due = talk.next;
    if (dial.pace && count < dial.target && dial.next < due) due = dial.next;
    int wait = due <= wires.now ? 0 : (int)((due - wires.now) / 1000000); // the last millisecond is waited for awake
    int found = epoll_wait(wires.poller, events, 512, wait);
    wires.now = clock_now();
    for (int i = 0; i < found; i++) {
        Wire *wire = events[i].data.ptr;
        if (!wire) {
            if (input) return true; // else it is level-triggered, and is seen later
            continue;
        }
        if (events[i].events & EPOLLOUT) wire_writable(wire);
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP))
            while (wire_readable(wire) || (events[i].events & EPOLLRDHUP && wire->state != ENDED)) {}
    }
    return false;
}

void settle(void) {
    memset(settled, 0, sizeof(int) * (size_t)given.rooms);
    for (int i = 0; i < count; i++) {
        Member *member = &members[i];
        member->settled = member->state == READY && !member->stalled && !member->gap;
        if (!member->settled) continue;
        settled[member->room]++;
        for (int k = 0; k < given.senders; k++) member->expected[k] = senders[member->room * given.senders + k].next;
    }
}

bool caught_up(const Member *member) {
    for (int k = 0; k < given.senders; k++)
        if (member->expected[k] != senders[member->room * given.senders + k].next) return false;
    return true;
}
