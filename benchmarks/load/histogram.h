// A histogram of durations: 64 steps to each power of two, so a percentile is right within 1.6 per cent.
#pragma once
#include <stdint.h>
#include <string.h>

enum { STEPS = 64, POWERS = 48 };

typedef struct {
    uint64_t counts[POWERS * STEPS];
    uint64_t total, largest;
} Histogram;

static inline void histogram_clear(Histogram *histogram) { memset(histogram, 0, sizeof *histogram); }

static inline void histogram_add(Histogram *histogram, uint64_t nanoseconds) {
    int power = nanoseconds < STEPS ? 0 : 58 - __builtin_clzll(nanoseconds);
    histogram->counts[power * STEPS + (nanoseconds >> power)]++;
    histogram->total++;
    if (nanoseconds > histogram->largest) histogram->largest = nanoseconds;
}

// The duration that `share` of all do not pass, in milliseconds.
static inline double histogram_at(const Histogram *histogram, double share) {
    uint64_t wanted = (uint64_t)(share * (double)histogram->total), seen = 0;
    for (int power = 0; power < POWERS - 1; power++)
        for (int step = 0; step < STEPS; step++)
            if ((seen += histogram->counts[power * STEPS + step]) > wanted)
                return (double)((uint64_t)step << power) / 1e6;
    return (double)histogram->largest / 1e6;
}
