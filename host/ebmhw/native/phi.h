/* Rows of logits to the records of the phi unit: structures that Python fills, and the state of a row under way. */
#ifndef EBMHW_PHI_H
#define EBMHW_PHI_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BINS 64               /* bins that carry weight */
#define FRACTIONS 1024        /* fractions of a base-2 exponent */
#define RING (BINS * FRACTIONS)
#define BLOCK 128             /* entries in work at a time; 64 and 256 were slower */
#define LANES 4               /* consecutive entries add to bins of their own, so that no addition waits for the one before */
#define LANE_ENTRIES (1 << 14) /* of one bin, 18 bits each, before 32 bits could overflow */
#define NO_POSITION 0xFFFFFFFFu
#define XF_LIMIT (1 << 25)

enum { FLOAT16, BFLOAT16, FLOAT32, FLOAT64 };
enum { EXCLUDED = 1, CLIP_HI = 2, CLIP_LO = 4, EMPTY = 8, NO_CHOICE = 16, PARTIAL = 32 };

typedef struct {
    uint32_t job_id, flags, valid, masked, excluded, argmax;
    int32_t z1, z2;
    int64_t log2_z, chosen_log2p;
    uint32_t entropy, phi, chosen;
    int32_t z_chosen;
} phi_record_t;

/* Rows, strides in bytes. s, t: (rows, BINS) and kmax: (rows), or NULL unless partial. */
typedef struct {
    const char *logits;
    int64_t row_stride, entry_stride;
    const int64_t *chosen;
    phi_record_t *records;
    int64_t *kmax, *s, *t;
    uint32_t entries, first_entry, inverse;
    uint8_t format, partial, unused[2];
} phi_job_t;

/* A block of entries, as they lie in memory and as float32. */
typedef struct {
    uint64_t raw[BLOCK];
    float values[BLOCK];
    uint16_t place[BLOCK];    /* z modulo RING */
    uint32_t index[BLOCK];    /* the same, or RING, whose bin is BINS, for entries without weight */
} phi_block_t;

/* A row under way. Bins lie at k mod BINS. */
typedef struct {
    uint64_t lanes[LANES][BINS + 1]; /* sums of WT + WU 2^32; 0 between rows */
    int64_t s[BINS], t[BINS];
    float best;               /* the largest entry, -inf before the first valid one */
    float second;             /* the largest entry of blocks other than that; -inf if there is none */
    uint32_t best_first;      /* first entry of the first block that holds the largest */
    uint32_t blocks;          /* since `lanes` were last emptied */
    int32_t kmax;
    int32_t z_low;            /* entries below carry no weight */
    int32_t floor_low;        /* least floor(x 2^15) of entries that carry weight, and that `quantise` may take */
    uint32_t masked, excluded, clips;
} phi_row_t;

static inline uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

static inline float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

/* Orders numbers; -0.0 equals 0.0. */
static inline int32_t key_of(uint32_t bits) {
    int32_t magnitude = (int32_t)(bits & 0x7FFFFFFF);
    return bits >> 31 ? -magnitude : magnitude;
}

static inline uint32_t bits_of_key(int32_t key) { return key < 0 ? (uint32_t)-key | 0x80000000u : (uint32_t)key; }

static inline int is_masked(uint32_t bits) { return bits == 0xFF800000u; }
static inline int is_excluded(uint32_t bits) { return ((bits & 0x7FFFFFFF) > 0x7F800000u) | (bits == 0x7F800000u); }

/* floor(x 2^15) of |x| <= 2048: exact, since multiplying by a power of two is and every number from 2^24 on is whole. */
static inline int32_t floor_of(float x) {
    float scaled = x * 32768.0f;
    int32_t whole = (int32_t)scaled;
    return whole - (scaled < (float)whole);
}

/* z = (xf 94548 + 2^19) >> 20 = (xf 23637 + 2^17) >> 18 of xf = (floor(x 2^15) + 1) >> 1, in 32 bits by halves of xf. */
static inline int32_t exponent_of(int32_t xf) { return ((xf >> 9) * 23637 + (((xf & 511) * 23637 + (1 << 17)) >> 9)) >> 9; }

static inline int32_t z_of(float x) {
    int32_t xf = (floor_of(x < -2048.0f ? -2048.0f : x > 2048.0f ? 2048.0f : x) + 1) >> 1;
    return exponent_of(xf < XF_LIMIT ? xf : XF_LIMIT - 1);
}

/* The least floor(x 2^15) whose z is at least `z`, but no less than that of -1024. */
static inline int32_t floor_of_z(int64_t z) {
    const int64_t wanted = z * (1 << 18) - (1 << 17);
    const int64_t xf = wanted / 23637 + (wanted > 0 && wanted % 23637 != 0), least = 2 * xf - 1;
    return least < -XF_LIMIT ? -XF_LIMIT : (int32_t)least;
}

/* The float32 nearest to a 16-bit one, exactly; without subnormal numbers in between, which some processors are slow at or flush. */
static inline uint32_t widened(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = (uint32_t)(half & 0x7FFF) << 13, exponent = rest & 0x0F800000;
    const uint32_t is_special = -(uint32_t)(exponent == 0x0F800000), is_subnormal = -(uint32_t)(exponent == 0);
    const uint32_t normal = rest + (112u << 23) + (is_special & 112u << 23);
    const uint32_t subnormal = bits_of(float_of(rest + (113u << 23)) - float_of(113u << 23));
    return sign | (normal & ~is_subnormal) | (subnormal & is_subnormal);
}

static inline void begin_row(phi_row_t *r) {
    memset(r->s, 0, sizeof *r - offsetof(phi_row_t, s));
    r->best = r->second = float_of(0xFF800000u);
    r->kmax = r->z_low = INT32_MIN;
    r->floor_low = -XF_LIMIT;
}

/* Let `largest` be the row's largest entry, in the block of entry `first`; bins that it pushes out of the window are emptied. */
static void rise(phi_row_t *r, float largest, uint32_t first) {
    const int32_t k = z_of(largest) >> 10;
    if (r->kmax != INT32_MIN)
        for (int32_t old = r->kmax - BINS + 1; old <= k - BINS && old <= r->kmax; old++) {
            const unsigned slot = (unsigned)old % BINS;
            r->s[slot] = r->t[slot] = 0;
            for (int lane = 0; lane < LANES; lane++) r->lanes[lane][slot] = 0;
        }
    if (r->best > r->second) r->second = r->best;
    r->best = largest;
    r->best_first = first;
    if (k == r->kmax) return;
    r->kmax = k;
    r->z_low = (k - BINS + 1) * FRACTIONS;
    r->floor_low = floor_of_z(r->z_low);
}

/* Add the bins of all lanes to the row's and empty them. */
static inline void drain(phi_row_t *r) {
    for (int lane = 0; lane < LANES; lane++)
        for (int bin = 0; bin < BINS; bin++) {
            const uint64_t both = r->lanes[lane][bin];
            r->s[bin] += (int64_t)(both & 0xFFFFFFFFu);
            r->t[bin] += (int64_t)(both >> 32);
        }
    memset(r->lanes, 0, sizeof r->lanes);
    r->blocks = 0;
}

/* A block has been added. */
static inline void added(phi_row_t *r) {
    if (++r->blocks == LANE_ENTRIES / (BLOCK / LANES)) drain(r);
}

/* Add the weights of a block that was sorted out; tables[f] = WT[f] + WU[f] 2^32. */
static inline void add_sorted(phi_row_t *r, const uint32_t *index, const uint64_t *tables) {
    for (int i = 0; i < BLOCK; i += LANES)
        for (int lane = 0; lane < LANES; lane++) {
            const uint32_t z = index[i + lane];
            r->lanes[lane][z / FRACTIONS] += tables[z % FRACTIONS];
        }
    added(r);
}

/* log2Z, chosen log-probability, H and phi of a record from its sums; bin d of s and t is that of k = kmax - d. */
static void finish(phi_record_t *record, int64_t kmax, const int64_t *s, const int64_t *t, uint32_t inverse) {
    int64_t total = 0, moment = 0;
    for (int d = 0; d < BINS; d++) {
        total += s[d] * (1 << 20) >> d;
        moment += (t[d] - d * s[d]) * (1 << 20) >> d;
    }
    const int excess = 63 - __builtin_clzll((uint64_t)total) - 37;
    total >>= excess;
    moment >>= excess;
    int64_t log2_s = (int64_t)excess << 20;
    uint64_t m = (uint64_t)total >> 6;
    for (int bit = 19; bit >= 0; bit--) {
        m = m * m >> 31;
        const uint64_t carry = m >> 32;
        log2_s += (int64_t)(carry << bit);
        m >>= carry;
    }
    const int64_t scaled = moment * (1 << 20);
    const int64_t mean = scaled / total - (scaled % total < 0);
    const int64_t entropy = log2_s > mean ? log2_s - mean : 0;
    const int64_t phi = (1 << 20) - (entropy * inverse >> 24);
    record->entropy = (uint32_t)entropy;
    record->phi = (uint32_t)(phi < 0 ? 0 : phi);
    record->log2_z = kmax * (1 << 20) + log2_s;
    const int64_t log2p = (int64_t)record->z_chosen * (1 << 10) - record->log2_z;
    record->chosen_log2p = record->flags & NO_CHOICE || log2p > 0 ? 0 : log2p;
}

#endif
