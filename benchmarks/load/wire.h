// The wire of one connection: HTTP, frames of WebSocket, permessage-deflate and long-polling, below what is said in them.
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT = 8192, BUFFER = 1 << 20 };
typedef enum { ENDED, DIALLING, SHAKING_HANDS, FLOWING } WireState;

typedef struct Inflater Inflater;

typedef struct {
    int fd;
    WireState state;
    bool polls, posting;
    char path[256], sid[64]; // of somebody who polls
    char post[512];          // what waits for the next POST
    char *rest;              // the beginning of a frame or an answer whose end has not come
    size_t rest_size;
    char *unsent;
    size_t unsent_size;
    Inflater *inflater;
} Wire;

extern struct Wires {
    struct sockaddr_in address;
    char host[64];
    bool deflate;             // offer to take compressed frames
    int poller;               // of epoll
    uint64_t now;             // nanoseconds
    uint64_t bytes, inflated; // received, and how many frames of it were compressed
} wires;

uint64_t clock_now(void);
void fail(const char *format, ...);
bool begins(const char *payload, size_t size, const char *with);

void wire_dial(Wire *wire, const char *path);
void wire_watch(Wire *wire);
void wire_send(Wire *wire, const char *text, size_t size);
bool wire_readable(Wire *wire); // read once; true if there may be more
void wire_writable(Wire *wire);

// What the owner of the wires is told.
void on_open(Wire *wire);
void on_text(Wire *wire, const char *payload, size_t size);
void on_close(Wire *wire, int code, const char *reason, size_t size);
void on_end(Wire *wire);
