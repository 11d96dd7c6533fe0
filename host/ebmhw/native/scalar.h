/* Sweeps over single chains of pairwise programs that keep every spin's field: a row costs a decision, and a flip the update of its
 * neighbours.
 *
 * For one read the other 31 lanes of lanes.h would run empty: on G1 this is 2 times as fast, on a dense model too. With two reads, or with
 * terms of higher order, whose flips change many fields, the lanes win again. Decisions are the exact rule itself.
 */
#ifndef EBMHW_SCALAR_H
#define EBMHW_SCALAR_H

#include <string.h>

#include "exact.h"

/* What a flip of a spin changes. */
typedef struct {
    const int32_t *order;  /* (rows) spins in visiting order */
    const int32_t *first;  /* (n + 1): where each spin's links begin */
    const int32_t *link;   /* (links, 2): other spin, 2 J */
} links_t;

/* The chains of a batch; the arrays belong to the caller, chain after chain. */
typedef struct {
    int8_t *spins;        /* (chains, n): -1 or +1 */
    int8_t *best;         /* (chains, n) */
    int32_t *fields;      /* (chains, n) */
    uint32_t *random;     /* (chains, 4) */
    int64_t *energy;      /* (chains) each */
    int64_t *flips;
    int64_t *best_energy;
    int64_t *best_sweep;
} singles_t;

static inline uint32_t rotl32(uint32_t word, int by) { return word << by | word >> (32 - by); }

static inline uint32_t next_draw(uint32_t *s) {
    uint32_t result = rotl32(s[0] + s[3], 7) + s[0], t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl32(s[3], 11);
    return result;
}

/* The arrays of one chain. */
static singles_t single_at(const singles_t *c, uint64_t n, uint64_t chain) {
    singles_t g = *c;
    g.spins += chain * n;
    g.best += chain * n;
    g.fields += chain * n;
    g.random += chain * STATE_WORDS;
    g.energy += chain;
    g.flips += chain;
    g.best_energy += chain;
    g.best_sweep += chain;
    return g;
}

/* From spins: fields, and the energy -sum s (field + bias) / 2, in which every pair is met twice. */
static void single_begin(uint64_t n, const int32_t *bias, const links_t *links, const singles_t *g) {
    int64_t twice = 0;
    for (uint64_t i = 0; i < n; i++) {
        int32_t sum = 0;
        for (int64_t k = links->first[i]; k < links->first[i + 1]; k++) sum += links->link[2 * k + 1] / 2 * g->spins[links->link[2 * k]];
        g->fields[i] = bias[i] + sum;
        twice -= (int64_t)g->spins[i] * (g->fields[i] + (int64_t)bias[i]);
    }
    *g->energy = twice / 2;
}

static inline __attribute__((always_inline)) void single_sweep(
    const program_t *p, const links_t *links, const singles_t *g, uint32_t beta, int rule, uint32_t *random) {
    int64_t gain = 0, flips = 0;
    for (uint32_t r = 0; r < p->rows; r++) {
        const int32_t spin = links->order[r];
        const int32_t h = g->fields[spin], s = g->spins[spin];
        const int weak = weak_exact(p, (uint64_t)(h < 0 ? -(int64_t)h : h), beta, next_draw(random), rule);
        const int flip = rule == RULE_GIBBS ? (s > 0) != ((h >= 0) != weak) : ((int64_t)s * h <= 0) | weak;
        if (!flip) continue;
        flips++;
        gain += (int64_t)s * h;
        g->spins[spin] = (int8_t)-s;
        const int32_t *link = links->link + 2 * (int64_t)links->first[spin], *stop = links->link + 2 * (int64_t)links->first[spin + 1];
        if (s > 0)
            for (; link < stop; link += 2) g->fields[link[0]] -= link[1];
        else
            for (; link < stop; link += 2) g->fields[link[0]] += link[1];
    }
    *g->energy += 2 * gain;
    *g->flips += flips;
}

static void single_sweeps(const program_t *p, const links_t *links, const singles_t *g, uint64_t chain, const uint32_t *words,
                          int64_t count, int64_t done, int rule, const keep_t *keep) {
    uint32_t random[STATE_WORDS];
    memcpy(random, g->random, sizeof random);
    for (int64_t i = 0; i < count; i++) {
        if (rule == RULE_GIBBS) single_sweep(p, links, g, words[i], RULE_GIBBS, random);
        else single_sweep(p, links, g, words[i], RULE_METROPOLIS, random);
        const int64_t number = done + i + 1;
        if (*g->energy < *g->best_energy) {
            *g->best_energy = *g->energy;
            *g->best_sweep = number;
            memcpy(g->best, g->spins, p->n);
        }
        if (keep->every && number > keep->burn_in && (number - keep->burn_in) % keep->every == 0) {
            int64_t sample = (int64_t)chain * keep->kept + (number - keep->burn_in) / keep->every - 1;
            memcpy(keep->out + sample * p->n, g->spins, p->n);
        }
    }
    memcpy(g->random, random, sizeof random);
}

#endif
