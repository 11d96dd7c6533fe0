/* The decision of the contract, and its threshold in closed form. */
#ifndef EBMHW_EXACT_H
#define EBMHW_EXACT_H

#include "kernel.h"

/* M of a field of magnitude a at temperature word B, and the exponent e; returns 0 where the weak outcome never happens. */
static inline int odds(const program_t *p, uint64_t a, uint32_t beta, uint64_t *m, unsigned *e) {
    uint64_t y = (a * beta + (1u << 8)) >> 9;
    if (y >= (uint64_t)33 << 12) return 0;
    unsigned f = y & 4095;
    *e = (unsigned)(y >> 12);
    *m = ((uint64_t)p->hi[f >> 6] * p->lo[f & 63] + (1u << 15)) >> 16;
    return 1;
}

static inline int weak_exact(const program_t *p, uint64_t a, uint32_t beta, uint32_t u, int rule) {
    uint64_t m;
    unsigned e;
    if (!odds(p, a, beta, &m, &e)) return 0;
    uint64_t v = 2 * (uint64_t)u + 1;
    uint64_t right = rule == RULE_GIBBS ? (((uint64_t)1 << 33) - v) * m : m << 33;
    return (v << 16) < (right >> e);
}

/* The number T of draws with a weak outcome: weak is u < T. v 2^16 < floor(R / 2^e) is R >= (v 2^16 + 1) 2^e; for gibbs, R falls
 * with v, and the largest such v is (2^33 M - 2^e) / (M + 2^(16 + e)). */
static inline uint64_t threshold(const program_t *p, uint64_t a, uint32_t beta, int rule) {
    uint64_t m;
    unsigned e;
    if (!odds(p, a, beta, &m, &e)) return 0;
    uint64_t full = m << 33, one = (uint64_t)1 << e;
    if (rule == RULE_GIBBS) {
        if (full < one) return 0;
        uint64_t v = (full - one) / (m + (one << 16));
        return (v + 1) >> 1;
    }
    uint64_t k = full >> e;
    return k ? (((k - 1) >> 16) + 1) >> 1 : 0;
}

#endif
