/* Entry points of the CPU kernel (called through ctypes), row encoding, and the choice of the instruction set. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#include "exact.h"
#include "kernel.h"
#include "scalar.h"
#include "targets.h"

/* Write spins as -1 or +1, chain q at out + q * stride, in blocks that keep the strided writes within the first-level cache. */
static void unpack(const program_t *p, const uint8_t *spins, int inverted, int8_t *out, int64_t stride, uint32_t chains) {
    const uint8_t flip = inverted ? 0xFF : 0;
    for (uint32_t start = 0; start < p->n; start += 64) {
        uint32_t stop = p->n - start < 64 ? p->n : start + 64;
        for (uint32_t q = 0; q < chains; q++)
            for (uint32_t i = start; i < stop; i++) out[q * stride + i] = (int8_t)(((spins[(size_t)i * LANES + q] ^ flip) & 0xFE) + 1);
    }
}

static uint32_t lanes_used(uint64_t group, uint64_t chains) {
    uint64_t left = chains - group * LANES;
    return left < LANES ? (uint32_t)left : LANES;
}

/* The arrays of one group. */
static chains_t group_at(const program_t *p, const chains_t *c, uint64_t group) {
    chains_t g = *c;
    g.spins += group * ((size_t)p->n * (1 + p->complement) + 1) * LANES;
    if (g.paired) g.paired += group * (((size_t)p->n + 1) / 2) * 64;
    g.best += group * p->n * LANES;
    g.random += group * STATE_WORDS * LANES;
    g.energy += group * LANES;
    g.flips += group * LANES;
    g.best_energy += group * LANES;
    g.best_sweep += group * LANES;
    return g;
}

#define LANES_NAME portable
#include "lanes.h"
#undef LANES_NAME

#if HAVE_X86
TARGET_BEGIN("avx2,fma")
#define LANES_NAME avx2
#define LANES_AVX2
#include "lanes.h"
#undef LANES_NAME
TARGET_END

/* The same source and vector width: AVX-512's rotations and three-way logic make a draw 10 operations instead of 14. */
TARGET_BEGIN("avx2,fma,avx512f,avx512vl,avx512bw")
#define LANES_NAME avx512
#include "lanes.h"
#undef LANES_NAME
#undef LANES_AVX2
TARGET_END
#endif

/* What the binding must agree on: the sizes of the structures that it fills. */
API uint64_t ebmhw_layout(void) {
    return (uint64_t)sizeof(row_t) << 40 | sizeof(program_t) << 32 | sizeof(chains_t) << 24 | sizeof(keep_t) << 16 | sizeof(links_t) << 8
        | sizeof(singles_t);
}

/* The best instruction set here: 0 portable, 1 AVX2, 2 AVX-512 with 256-bit vectors. */
API int ebmhw_instruction_set(void) {
#if HAVE_X86
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi")) return 0;
    return __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") ? 2 : 1;
#else
    return 0;
#endif
}

/* Run `count` sweeps of groups first..stop-1 by an instruction set that this machine has; `done` sweeps came before. */
API void ebmhw_sweeps(const program_t *p, const chains_t *chains, uint64_t first, uint64_t stop, const uint32_t *words, int64_t count,
                      int64_t done, int rule, const keep_t *keep, int instruction_set) {
    static const sweeps_fn sweeps[] = {
        sweeps_portable,
#if HAVE_X86
        sweeps_avx2,
        sweeps_avx512,
#endif
    };
    for (uint64_t group = first; group < stop; group++) {
        const chains_t g = group_at(p, chains, group);
        sweeps[instruction_set](p, &g, group, words, count, done, rule, keep);
    }
}

/* Draw the initial states: one draw a spin in index order, +1 iff the top bit is 1. Leaves 0xFF for s = -1 in the first n rows. */
API void ebmhw_draw_states(const program_t *p, const chains_t *chains, uint64_t groups) {
    uint32_t draws[BLOCK * LANES];
    for (uint64_t group = 0; group < groups; group++) {
        const chains_t g = group_at(p, chains, group);
        for (uint32_t start = 0; start < p->n; start += BLOCK) {
            uint32_t count = p->n - start < BLOCK ? p->n - start : BLOCK;
            draw_portable(g.random, draws, count);
            for (uint32_t r = 0; r < count; r++)
                for (int q = 0; q < LANES; q++)
                    g.spins[(size_t)(start + r) * LANES + q] = draws[r * LANES + slot_of[q]] >> 31 ? 0 : 0xFF;
        }
    }
}

/* E of states with 0xFF for s = -1, all terms and biases of the program. */
static void energy_of(uint32_t n, const int32_t *bias, uint64_t terms, const int64_t *first, const int32_t *members,
                      const int32_t *weights, const uint8_t *spins, int64_t *energy) {
    int64_t total = 0;
    int32_t sum[LANES] = {0};
    memset(energy, 0, LANES * sizeof *energy);
    for (uint64_t t = 0; t < n + terms; t++) {
        uint8_t mask[LANES];
        int32_t weight;
        if (t < n) {
            weight = bias[t];
            memcpy(mask, spins + t * LANES, LANES);
        } else {
            int64_t at = first[t - n];
            weight = weights[t - n];
            memcpy(mask, spins + (size_t)members[at] * LANES, LANES);
            for (at++; at < first[t - n + 1]; at++)
                for (int q = 0; q < LANES; q++) mask[q] ^= spins[(size_t)members[at] * LANES + q];
        }
        total += weight;
        for (int q = 0; q < LANES; q++) sum[q] += (int32_t)(int8_t)mask[q] & weight;
        /* 2^13 weights of at most 17 bits stay within 32 bits. */
        if ((t & 8191) == 8191 || t + 1 == n + terms)
            for (int q = 0; q < LANES; q++) energy[q] += 2 * (int64_t)sum[q], sum[q] = 0;
    }
    for (int q = 0; q < LANES; q++) energy[q] -= total;
}

static void mirror(const program_t *p, const chains_t *g) {
    const size_t size = (size_t)p->n * LANES;
    if (p->complement)
        for (size_t i = 0; i < size; i++) g->spins[size + i] = (uint8_t)~g->spins[i];
    if (p->inverted)
        for (size_t i = 0; i < size; i++) g->spins[i] = (uint8_t)~g->spins[i];
    memset(g->spins + size * (1 + p->complement), 0, LANES);
    if (!g->paired) return;
    for (uint32_t i = 0; i < p->n; i++)
        for (int q = 0; q < LANES; q++) {
            /* positions 0..7 and 16..23 in the first 32 bytes, the others in the second: what unpacking bytes gives */
            int at = (q & 8 ? 32 : 0) + (q & 16) + 2 * (q & 7) + (i & 1);
            g->paired[(size_t)(i >> 1) * 64 + at] = g->spins[(size_t)i * LANES + q] & 1;
        }
}

/* From states (0xFF for s = -1 in the first n rows of a group): their energies, and every copy that the rows read. bias, first,
 * members, weights: the whole program, terms among clamped spins included. */
API void ebmhw_begin(const program_t *p, const chains_t *chains, uint64_t groups, const int32_t *bias, uint64_t terms,
                     const int64_t *first, const int32_t *members, const int32_t *weights) {
    for (uint64_t group = 0; group < groups; group++) {
        const chains_t g = group_at(p, chains, group);
        energy_of(p->n, bias, terms, first, members, weights, g.spins, g.energy);
        mirror(p, &g);
    }
}

/* Write the states (or, with `best`, the best states) of all chains as -1 and +1, (chains, n). */
API void ebmhw_unpack(const program_t *p, const chains_t *chains, uint64_t count, int best, int8_t *out) {
    for (uint64_t group = 0; group * LANES < count; group++) {
        const chains_t g = group_at(p, chains, group);
        unpack(p, best ? g.best : g.spins, best ? 0 : (int)p->inverted, out + group * LANES * p->n, p->n, lanes_used(group, count));
    }
}

API uint64_t ebmhw_threshold(const program_t *p, uint64_t field, uint32_t beta, int rule) { return threshold(p, field, beta, rule); }

/* Encode rows. `code` may be NULL to measure; returns the words of code. Fills row[] and the flags of `p` (complement, inverted,
 * pairs, reach), whose n, rows and unit are set. order: (rows) spins; first, members, weights: the terms; indptr, incident: which
 * terms hold a spin. */
API uint64_t ebmhw_encode(program_t *p, row_t *row, uint32_t *code, const int32_t *order, const int32_t *bias, const int64_t *first,
                          const int32_t *members, const int32_t *weights, const int32_t *indptr, const int32_t *incident) {
    const int32_t unit = p->unit;
    int positive = 0, negative = 0, high_order = 0, other_kinds = 0;
    uint64_t size = 0;
    p->reach = p->pairs = 0;
    for (uint32_t r = 0; r < p->rows; r++) {
        int64_t sum = 0, magnitude = 0, largest = 0;
        int32_t spin = order[r];
        for (int32_t i = indptr[spin]; i < indptr[spin + 1]; i++) {
            int64_t weight = weights[incident[i]], size_ = weight < 0 ? -weight : weight;
            sum += weight;
            magnitude += size_;
            if (size_ > largest) largest = size_;
            if (weight > 0) positive = 1;
            else negative = 1;
            if (first[incident[i] + 1] - first[incident[i]] > 2) high_order = 1;
        }
        int64_t b = bias[spin], far = ((b < 0 ? -b : b) + magnitude) / unit;
        row[r] = (row_t){.spin = (uint32_t)spin, .base = (int32_t)(b + sum)};
        if (far <= 253 && largest / unit <= 127) {
            row[r].kind = ROW_BYTE;
            row[r].parity = (uint8_t)(((b + sum) / unit) & 1);
            row[r].reach = (uint8_t)((far + 1) / 2);
            if (row[r].reach > p->reach) p->reach = row[r].reach;
        } else {
            row[r].kind = largest <= 127 ? ROW_PAIRS : ROW_WIDE;
            other_kinds = 1;
            if (row[r].kind == ROW_PAIRS) p->pairs = 1;
        }
    }
    p->inverted = !positive && !high_order && !other_kinds;
    p->complement = negative && !p->inverted;
    const uint32_t blank = p->n * (1 + p->complement);
#define PUT(word) do { if (code) code[size] = (uint32_t)(word); size++; } while (0)
#define EACH_TERM(spin) for (int32_t i = indptr[spin]; i < indptr[(spin) + 1]; i++)
#define OTHERS(term, spin) for (int64_t m = first[term]; m < first[(term) + 1]; m++) if (members[m] != (int32_t)(spin))
    for (uint32_t r = 0; r < p->rows; r++) {
        row_t *at = row + r;
        const int32_t spin = (int32_t)at->spin;
        if (size > UINT32_MAX) return size;
        at->code = (uint32_t)size;
        if (at->kind == ROW_BYTE) {
            int32_t base = (at->base / unit - at->parity) / 2;
            uint32_t count = 0;
            /* A negative weight counts s = +1 instead, by the complement (or the inverted copy): -w [neg] = w [pos] - w. */
            EACH_TERM(spin) {
                int32_t weight = weights[incident[i]];
                if (weight < 0) base += -weight / unit;
            }
            for (int members_ = 2; members_ <= 3; members_++) {
                count = 0;
                EACH_TERM(spin) {
                    int32_t term = incident[i], weight = weights[term];
                    if (first[term + 1] - first[term] != members_ || (weight != unit && weight != -unit)) continue;
                    uint32_t shift = weight < 0 && p->complement ? p->n : 0;
                    OTHERS(term, spin) {
                        PUT(((uint32_t)members[m] + shift) * LANES);
                        shift = 0;
                    }
                    count++;
                }
                uint32_t group = members_ == 2 ? 4 : 2;
                for (; count % group; count++)
                    for (int k = 1; k < members_; k++) PUT(blank * LANES);
                if (members_ == 2) at->singles = count / group;
                else at->doubles = count / group;
            }
            count = 0;
            EACH_TERM(spin) {
                int32_t term = incident[i], weight = weights[term];
                if (first[term + 1] - first[term] != 2 || weight == unit || weight == -unit) continue;
                OTHERS(term, spin) PUT(((uint32_t)members[m] + (weight < 0 && p->complement ? p->n : 0)) * LANES);
                PUT((weight < 0 ? -weight : weight) / unit);
                count++;
            }
            at->weighted = count;
            count = 0;
            EACH_TERM(spin) {
                int32_t term = incident[i], weight = weights[term];
                int64_t order_ = first[term + 1] - first[term];
                if (order_ == 2 || (order_ == 3 && (weight == unit || weight == -unit))) continue;
                uint32_t shift = weight < 0 && p->complement ? p->n : 0;
                PUT(order_ - 1);
                PUT((weight < 0 ? -weight : weight) / unit);
                OTHERS(term, spin) {
                    PUT(((uint32_t)members[m] + shift) * LANES);
                    shift = 0;
                }
                count++;
            }
            at->general = count;
            at->base = base;
        } else {
            int64_t open = -1;
            uint32_t packed = 0;
            EACH_TERM(spin) {
                int32_t term = incident[i];
                if (at->kind == ROW_WIDE || first[term + 1] - first[term] != 2) continue;
                OTHERS(term, spin) {
                    if (members[m] >> 1 != open) {
                        if (open >= 0) { PUT(open); PUT(packed); at->singles++; }
                        open = members[m] >> 1;
                        packed = 0;
                    }
                    packed |= (uint32_t)(uint8_t)weights[term] << (members[m] & 1 ? 8 : 0);
                }
            }
            if (open >= 0) { PUT(open); PUT(packed); at->singles++; }
            EACH_TERM(spin) {
                int32_t term = incident[i];
                int64_t order_ = first[term + 1] - first[term];
                if (at->kind == ROW_PAIRS && order_ == 2) continue;
                PUT(order_ - 1);
                PUT(weights[term]);
                OTHERS(term, spin) PUT((uint32_t)members[m] * LANES);
                at->general++;
            }
        }
    }
    return size;
}

/* Draw the initial states of single chains. */
API void ebmhw_single_draw_states(uint64_t n, const singles_t *chains, uint64_t count) {
    for (uint64_t chain = 0; chain < count; chain++) {
        const singles_t g = single_at(chains, n, chain);
        for (uint64_t i = 0; i < n; i++) g.spins[i] = next_draw(g.random) >> 31 ? 1 : -1;
    }
}

/* From the spins of single chains: energies and fields. */
API void ebmhw_single_begin(uint64_t n, const int32_t *bias, const links_t *links, const singles_t *chains, uint64_t count) {
    for (uint64_t chain = 0; chain < count; chain++) {
        const singles_t g = single_at(chains, n, chain);
        single_begin(n, bias, links, &g);
    }
}

/* Run `count` sweeps of single chains first..stop-1; `done` sweeps came before. */
API void ebmhw_single_sweeps(const program_t *p, const links_t *links, const singles_t *chains, uint64_t first, uint64_t stop,
                             const uint32_t *words, int64_t count, int64_t done, int rule, const keep_t *keep) {
    for (uint64_t chain = first; chain < stop; chain++) {
        const singles_t g = single_at(chains, p->n, chain);
        single_sweeps(p, links, &g, chain, words, count, done, rule, keep);
    }
}

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_kernel", "CPU kernel; its functions are called through ctypes.", 0, NULL,
                                    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModule_Create(&module); }
