// The members: who they are, what they say, and the check that each delivery came once, whole and in order.
#pragma once
#include "histogram.h"
#include "wire.h"

enum { RING = 1 << 14, STAMP = 33, UNKNOWN = UINT32_MAX };
typedef enum { CLOSED, OPENING, ENTERING, NAMING, READY } State;

typedef struct {
    const char *name, *path; // %s: the room
    const char *opened;      // how the frame begins that a new connection is sent; NULL: none is awaited
    const char *enter;       // what is said then
    const char *entered;     // how the answer begins
    const char *name_me;     // %s: a nickname
    const char *named;       // what the answer holds
    const char *say;         // %s: the text
} Protocol;

extern const Protocol PROTOCOLS[];

typedef struct Sender Sender;
typedef struct {
    Wire wire; // the first field: a pointer to it is one to the member
    int number, room;
    State state;
    bool settled;           // was here before the talk began, so every message must come
    bool stalled, returned; // stopped reading; came back after being closed
    bool gap;               // came back and missed something
    int code;               // of the close frame
    int people;             // as the last nbUsers had it
    uint64_t presences, dialled;
    uint32_t *expected; // the next message of each of the room's senders
    Sender *sender;     // of this member, if it is one
    char pid[256], offset[128];
} Member;

struct Sender {
    Member *member;
    int number, room, flying, unacknowledged;
    uint32_t next;
    uint32_t left[RING]; // how many members do not have a message yet
};

extern struct Given {
    const Protocol *protocol;
    int rooms, senders, bytes;
    bool polling; // all but the senders poll
} given;

extern Member *members;
extern Sender *senders; // of room r: senders[r * given.senders] and those after it
extern int count, ready;
extern Histogram latency, connecting;
extern uint64_t deliveries, messages, acknowledged;
extern struct Dial { int target, at, opening; bool names; uint64_t pace, next; } dial;
extern struct Talk { bool on, acks; int flight, turn; uint64_t pace, next, until, most; } talk;

const Protocol *protocol_named(const char *name); // NULL: there is none
void make_members(size_t most);
void start_talking(int flight, double rate, double seconds, bool acks);
void settle(void); // those who are here must get every message from now on
void return_one(Member *member);
bool caught_up(const Member *member);
bool turn(bool input); // one look at what has come, and at what is due; true if there is standard input
