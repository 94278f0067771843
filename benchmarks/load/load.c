// The load generator: thousands of members on one core, every delivery checked for order and completeness.
//
// load HOST:PORT [--protocol NAME] [--transport websocket | deflate | polling] [--rooms N] [--senders N] [--bytes N]
//      [--pid N] [--patience SECONDS] COMMAND...
//
// Each COMMAND is one argument; without any, commands are lines of the standard input. Each is answered by one line of
// JSON. A message that is lost, doubled, out of order or damaged, or a connection that breaks, ends the run with status 1.
//
//   connect N [at=64] [names=0]             connect until there are N members, so many handshakes at once; with names=1
//                                           each takes a name
//   idle SECONDS                            answer pings, no more
//   run [flight=1 | rate=N] [seconds=3]     each room's senders talk: each keeps `flight` messages in flight, or all
//       [acks=0] [messages=N]               together send `rate` messages a second. A message is no longer in flight
//                                           when every member of its room but the author has it (and, with acks=1,
//                                           when it is acknowledged). With `messages`, no more than these are sent.
//   storm N [over=5] [rate=20] [after=3]    the senders talk while N more people connect and take a name; the last
//                                           command if they cannot all do so within 60 seconds more
//   stall N                                 N members stop reading
//   resume                                  they read again; those that were closed return and say where they left
//
// The first members of each room are its senders. Over `deflate` all offer to take compressed frames; over `polling` all
// but the senders poll, and these have a WebSocket. With --pid, the server's processor time and memory are in the answers.
// What is missing is waited for with --patience, 10 seconds.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "members.h"

static int pid;
static double patience = 10;

static double option(const char *command, const char *name, double otherwise) {
    char words[32];
    snprintf(words, sizeof words, " %s=", name);
    const char *found = strstr(command, words);
    return found ? atof(found + strlen(words)) : otherwise;
}

// Wait until all members but those that stopped reading have everything.
static void drain(void) {
    uint64_t since = wires.now, seen = deliveries + acknowledged;
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
        if (deliveries + acknowledged != seen) since = wires.now, seen = deliveries + acknowledged;
        if ((double)(wires.now - since) > patience * 1e9) fail("messages are missing: nothing has come for %g seconds", patience);
    }
}

static void connect_until(int target) {
    uint64_t since = wires.now;
    int before = ready;
    dial.target = target;
    while (ready < target) {
        turn(false);
        if (ready != before) since = wires.now, before = ready;
        if (wires.now - since > 20000000000u) fail("only %d of %d are connected, and nothing happens", ready, target);
    }
}

static void do_connect(const char *command) {
    dial.at = (int)option(command, "at", 64);
    dial.names = option(command, "names", 0) > 0;
    connect_until(atoi(command + 8));
    dial.names = false;
    uint64_t until = wires.now + 300000000; // presence is told to all a moment later
    while (wires.now < until) turn(false);
    settle();
}

static void do_run(const char *command) {
    double rate = option(command, "rate", 0);
    if (option(command, "acks", 0) > 0 && given.protocol != PROTOCOLS) fail("acks are for Socket.IO");
    start_talking(rate > 0 ? 0 : (int)option(command, "flight", 1), rate, option(command, "seconds", 3), option(command, "acks", 0) > 0);
    talk.most = (uint64_t)option(command, "messages", 1e18);
    while (wires.now < talk.until && messages < talk.most) turn(false);
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
    uint64_t all_in = 0, all_right = 0, told = 0;
    for (int i = 0; i < count; i++) members[i].presences = 0;
    start_talking(0, option(command, "rate", 20), 3600, false);
    dial.names = true;
    dial.at = 512;
    dial.pace = (uint64_t)(over * 1e9 / newcomers);
    dial.next = wires.now;
    dial.target = count + newcomers;
    uint64_t begun = wires.now, until = wires.now + (uint64_t)((over + 60) * 1e9);
    while (wires.now < until) {
        turn(false);
        if (!all_in && ready == dial.target) all_in = wires.now, until = wires.now + (uint64_t)(after * 1e9);
        if (all_in && !all_right && people_right() == count) all_right = wires.now;
    }
    int entered = ready - before;
    talk.until = wires.now;
    if (all_in) drain(); // else the server is overwhelmed, and there is no use in going on with it
    for (int i = 0; i < count; i++) told += members[i].presences;
    dial.names = false;
    dial.pace = 0;
    for (until = wires.now + 1000000000; all_in && wires.now < until;) turn(false); // newcomers may have no message yet
    if (all_in) settle();
    printf("\"entered\": %d, \"entered_in\": %.3f, \"right_after\": %.3f, \"presences\": %lu, ", entered,
           all_in ? (double)(all_in - begun) / 1e9 : -1.0, all_right ? (double)(all_right - all_in) / 1e9 : -1.0, told);
}

static void do_stall(const char *command) {
    int wanted = atoi(command + 6);
    for (int i = count - 1; i >= 0 && wanted; i--) {
        Member *member = &members[i];
        if (member->sender || member->stalled) continue;
        epoll_ctl(wires.poller, EPOLL_CTL_DEL, member->wire.fd, NULL);
        member->stalled = true;
        wanted--;
    }
    settle();
}

static void do_resume(void) {
    int stalled = 0, closed = 0, code = 0, returns = 0, recovered = 0;
    for (int i = 0; i < count; i++)
        if (members[i].stalled) stalled++, wire_watch(&members[i].wire);
    uint64_t until = wires.now + 20000000000u;
    for (bool waiting = true; waiting && wires.now < until;) {
        turn(false);
        waiting = false;
        for (int i = 0; i < count; i++) {
            Member *member = &members[i];
            if (!member->stalled) continue;
            if (member->state == CLOSED) {
                if (member->code) code = member->code;
                if (!member->returned) closed++;
                returns++;
                return_one(member);
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
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = pid ? fopen(path, "r") : NULL;
    if (!file) return 0;
    if (fgets(line, sizeof line, file))
        sscanf(strrchr(line, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    fclose(file);
    snprintf(path, sizeof path, "/proc/%d/status", pid);
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
    wires.now = clock_now();
    double used = server_used(&memory, &peak), own = own_used();
    uint64_t begun = wires.now;
    deliveries = messages = acknowledged = wires.bytes = wires.inflated = 0;
    histogram_clear(&latency);
    histogram_clear(&connecting);
    printf("{\"command\": \"%s\", ", command);
    if (!strncmp(command, "connect ", 8)) do_connect(command);
    else if (!strncmp(command, "idle", 4)) for (uint64_t until = wires.now + (uint64_t)(atof(command + 4) * 1e9); wires.now < until;) turn(false);
    else if (!strncmp(command, "run", 3)) do_run(command);
    else if (!strncmp(command, "storm ", 6)) do_storm(command);
    else if (!strncmp(command, "stall ", 6)) do_stall(command);
    else if (!strcmp(command, "resume")) do_resume();
    else fail("no such command: %s", command);
    wires.now = clock_now();
    double seconds = (double)(wires.now - begun) / 1e9;
    double cpu = server_used(&memory, &peak) - used;
    printf("\"seconds\": %.3f, \"members\": %d, \"connected\": %d, \"messages\": %lu, \"deliveries\": %lu, "
           "\"bytes\": %lu, \"inflated\": %lu, \"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f, \"connect_p99\": %.3f, ",
           seconds, ready, ready - before, messages, deliveries, wires.bytes, wires.inflated,
           histogram_at(&latency, 0.5), histogram_at(&latency, 0.99),
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
    if (epoll_ctl(wires.poller, EPOLL_CTL_ADD, 0, &event)) fail("the standard input must be a pipe or a terminal");
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
            if (!(given.protocol = protocol_named(value))) fail("no protocol %s", value);
        } else if (!strcmp(name, "transport")) {
            wires.deflate = !strcmp(value, "deflate");
            given.polling = !strcmp(value, "polling");
            if (!wires.deflate && !given.polling && strcmp(value, "websocket")) fail("no transport %s", value);
        }
        else if (!strcmp(name, "rooms")) given.rooms = atoi(value);
        else if (!strcmp(name, "senders")) given.senders = atoi(value);
        else if (!strcmp(name, "bytes")) given.bytes = atoi(value);
        else if (!strcmp(name, "pid")) pid = atoi(value);
        else if (!strcmp(name, "patience")) patience = atof(value);
        else fail("no option --%s", name);
    }
    if (given.bytes < STAMP + 1 || given.bytes > TEXT / 2) fail("--bytes must be from %d to %d", STAMP + 1, TEXT / 2);
    snprintf(wires.host, sizeof wires.host, "%s", argv[1]);
    char *port = strchr(argv[1], ':');
    if (!port) fail("HOST:PORT, for example 127.0.0.1:3000");
    *port++ = 0;
    wires.address.sin_family = AF_INET;
    wires.address.sin_port = htons((uint16_t)atoi(port));
    if (!inet_pton(AF_INET, argv[1], &wires.address.sin_addr)) fail("HOST is an IPv4 address");
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    wires.poller = epoll_create1(0);
    make_members(files.rlim_max < 65536 ? files.rlim_max : 65536);
    if (at == argc) obey_lines();
    else while (at < argc) obey(argv[at++]);
    return 0;
}
