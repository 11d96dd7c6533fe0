/* The CPU kernel: Ising sweeps over groups of 32 chains, one chain a byte lane (lanes.h), or over single chains (scalar.h).
 *
 * A spin of a group is 32 bytes of 0x00 or 0xFF, so a neighbour of weight +-1 costs one byte add for 32 chains, nothing is ever
 * transposed, and 32 reads fill a group. Every path computes the integers of the contract: `exact.h` is the definition, tables and
 * float approximations only ever decide draws that they cannot decide wrongly and leave the rest to it.
 * Sums of byte lanes wrap modulo 256 until they are whole, so this is compiled with -fwrapv.
 */
#ifndef EBMHW_KERNEL_H
#define EBMHW_KERNEL_H

#include <stdint.h>

enum { LANES = 32, BLOCK = 64, STATE_WORDS = 4 };
enum { RULE_GIBBS = 0, RULE_METROPOLIS = 1 };
enum { ROW_BYTE = 0, ROW_PAIRS = 1, ROW_WIDE = 2 };

/* How a row's field h is found.
 * ROW_BYTE:  x = base + sum of masks (each 0 or -1) - sum of (mask & weight), in bytes modulo 256; h = unit * (2 x + parity).
 * ROW_PAIRS: h = base - 2 sum J [s = -1] over pairs of neighbouring spins in 16 bits, widened every 128 pairs.
 * ROW_WIDE:  the same sum in 32 bits, term by term; for couplings of more than 8 bits. */
typedef struct {
    uint32_t spin;
    int32_t base;
    uint32_t code;       /* first word of the row in the code */
    uint32_t singles;    /* ROW_BYTE: groups of 4 offsets into the spins; ROW_PAIRS: (pair, packed weights) */
    uint32_t doubles;    /* ROW_BYTE: groups of 2 pairs of offsets, to be multiplied */
    uint32_t weighted;   /* ROW_BYTE: (offset, weight) */
    uint32_t general;    /* (k, weight, k offsets) */
    uint8_t kind;
    uint8_t parity;
    uint8_t reach;       /* ROW_BYTE: largest |x| */
    uint8_t unused;
} row_t;

typedef struct {
    uint32_t n;
    uint32_t rows;
    int32_t unit;         /* greatest common divisor of all weights and biases */
    uint32_t complement;  /* 1: spin rows n..2n-1 hold the complements */
    uint32_t inverted;    /* 1: 0xFF is s = +1, for models whose couplings are all negative */
    uint32_t pairs;       /* 1: some row is ROW_PAIRS */
    uint32_t reach;       /* largest |x| of all ROW_BYTE rows */
    const row_t *row;
    const uint32_t *code;
    const uint32_t *hi;   /* the decision tables of the contract, 64 words each */
    const uint32_t *lo;
} program_t;

/* The chains of a batch, 32 a group; the arrays belong to the caller, group after group. Position q of a group is its chain q, but
 * for the random state, whose slots are permuted (`slot_of`) so that draws meet thresholds without a shuffle. */
typedef struct {
    uint8_t *spins;       /* (groups, n (1 + complement) + 1, 32); a group's last row is zero */
    uint8_t *paired;      /* (groups, ceil(n / 2), 64) or NULL */
    uint8_t *best;        /* (groups, n, 32) */
    uint32_t *random;     /* (groups, 4, 32) */
    int64_t *energy;      /* (groups, 32) each */
    int64_t *flips;
    int64_t *best_energy;
    int64_t *best_sweep;
} chains_t;

/* Where kept samples go: chain q of all, k-th sample, spin i at out[(q * kept + k) * n + i]. */
typedef struct {
    int8_t *out;
    int64_t kept;
    int64_t burn_in;
    int64_t every;        /* 0: keep nothing */
    uint64_t chains;      /* of the whole batch; lanes beyond are not written */
} keep_t;

typedef void (*sweeps_fn)(const program_t *, const chains_t *, uint64_t, const uint32_t *, int64_t, int64_t, int, const keep_t *);

static const uint8_t slot_of[LANES] = {
    8, 0, 9, 1, 10, 2, 11, 3, 24, 16, 25, 17, 26, 18, 27, 19,
    12, 4, 13, 5, 14, 6, 15, 7, 28, 20, 29, 21, 30, 22, 31, 23,
};

#endif
