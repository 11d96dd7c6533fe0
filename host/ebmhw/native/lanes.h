/* Sweeps over one group, compiled once for each instruction set: define LANES_NAME and, for AVX2, LANES_AVX2. */

#define CAT_(a, b) a##_##b
#define CAT(a, b) CAT_(a, b)
#define FN(name) CAT(name, LANES_NAME)

typedef int8_t FN(i8v) __attribute__((vector_size(32)));
typedef int16_t FN(i16v) __attribute__((vector_size(32)));
typedef uint32_t FN(u32v) __attribute__((vector_size(32)));
typedef int32_t FN(i32v) __attribute__((vector_size(32)));
typedef float FN(f32v) __attribute__((vector_size(32)));
#define i8v FN(i8v)
#define i16v FN(i16v)
#define u32v FN(u32v)
#define i32v FN(i32v)
#define f32v FN(f32v)

static inline i8v FN(load)(const void *from) {
    i8v v;
    __builtin_memcpy(&v, from, 32);
    return v;
}

static inline void FN(store)(void *to, i8v v) { __builtin_memcpy(to, &v, 32); }

static inline i8v FN(splat)(int value) { return (i8v){0} + (int8_t)value; }

#define ROTL(v, k) (((v) << (k)) | ((v) >> (32 - (k))))

/* `count` draws of all 32 chains; two vectors of 8 chains at a time keep 8 state words in registers and hide the latency. */
static inline void FN(draw)(uint32_t *random, uint32_t *out, unsigned count) {
    for (unsigned half = 0; half < 2; half++) {
        u32v s[4][2];
        for (int k = 0; k < 4; k++)
            for (int j = 0; j < 2; j++) __builtin_memcpy(&s[k][j], random + k * LANES + half * 16 + j * 8, 32);
        for (unsigned i = 0; i < count; i++) {
            for (int j = 0; j < 2; j++) {
                u32v sum = s[0][j] + s[3][j];
                u32v result = ROTL(sum, 7) + s[0][j];
                u32v t = s[1][j] << 9;
                s[2][j] ^= s[0][j];
                s[3][j] ^= s[1][j];
                s[1][j] ^= s[2][j];
                s[0][j] ^= s[3][j];
                s[2][j] ^= t;
                s[3][j] = ROTL(s[3][j], 11);
                __builtin_memcpy(out + (size_t)i * LANES + half * 16 + j * 8, &result, 32);
            }
        }
        for (int k = 0; k < 4; k++)
            for (int j = 0; j < 2; j++) __builtin_memcpy(random + k * LANES + half * 16 + j * 8, &s[k][j], 32);
    }
}

/* What one temperature word decides: thresholds of |h| = unit (2 k + parity), k = 0..31, by their upper 16 bits. */
typedef struct {
    uint32_t beta;
    int rule;
    int limit;            /* entries in use less one, 15 or 31; larger |x| are undecided below the last threshold */
    unsigned reach;       /* rows with |x| up to this may use the table */
    uint8_t high[2][32], low[2][32];
#ifndef LANES_AVX2
    uint64_t whole[2][32];
#endif
} FN(table_t);
#define table_t FN(table_t)

/* Entries past the limit leave draws below the last threshold to the exact rule; up to 2^-10 of the draws of such lanes are left so. */
enum { FN(RARE) = 64 };

static void FN(make_table)(const program_t *p, uint32_t beta, int rule, table_t *t) {
    t->beta = beta;
    t->rule = rule;
    int used = p->reach < 31 ? (int)p->reach : 31;
    uint32_t at15 = 0, at31 = 0;
    memset(t->high, 0, sizeof t->high);
    memset(t->low, 0, sizeof t->low);
#ifndef LANES_AVX2
    memset(t->whole, 0, sizeof t->whole);
#endif
    for (int parity = 0; parity < 2; parity++) {
        for (int k = 0; k <= used; k++) {
            uint64_t whole = threshold(p, (uint64_t)p->unit * (2 * k + parity), beta, rule);
            uint32_t top = whole >> 16 < 0xFFFF ? (uint32_t)(whole >> 16) : 0xFFFF;
            t->high[parity][k] = (uint8_t)(top >> 8);
            t->low[parity][k] = (uint8_t)top;
#ifndef LANES_AVX2
            t->whole[parity][k] = whole;
#endif
            if (k == 15 && top > at15) at15 = top;
            if (k == 31 && top > at31) at31 = top;
            if (whole == 0) break;
        }
    }
    t->limit = p->reach <= 15 || at15 <= FN(RARE) ? 15 : 31;
    t->reach = t->limit == 15 || at31 <= FN(RARE) ? 255 : 31;
}

/* x of a ROW_BYTE row. */
static inline i8v FN(byte_field)(const uint8_t *spins, const row_t *row, const uint32_t *code) {
#define SPIN(offset) FN(load)(spins + (offset))
    i8v x = FN(splat)(row->base), x2 = (i8v){0};
    for (uint32_t i = 0; i < row->singles; i++, code += 4) {
        /* Two offsets a load: the loads bound this loop. */
        uint64_t first, second;
        __builtin_memcpy(&first, code, 8);
        __builtin_memcpy(&second, code + 2, 8);
        x += SPIN((uint32_t)first);
        x2 += SPIN(first >> 32);
        x += SPIN((uint32_t)second);
        x2 += SPIN(second >> 32);
    }
    for (uint32_t i = 0; i < row->doubles; i++, code += 4) {
        x += SPIN(code[0]) ^ SPIN(code[1]);
        x2 += SPIN(code[2]) ^ SPIN(code[3]);
    }
    for (uint32_t i = 0; i < row->weighted; i++, code += 2) x -= SPIN(code[0]) & FN(splat)((int)code[1]);
    for (uint32_t i = 0; i < row->general; i++) {
        uint32_t k = code[0];
        i8v mask = SPIN(code[2]);
        for (uint32_t j = 1; j < k; j++) mask ^= SPIN(code[2 + j]);
        x2 -= mask & FN(splat)((int)code[1]);
        code += 2 + k;
    }
    return x + x2;
}

/* 32 numbers by position, 8 a vector. */
typedef struct {
    i32v part[4];
} FN(wide_t);
#define wide_t FN(wide_t)

static inline wide_t FN(widen)(i8v bytes) {
    wide_t wide;
    int8_t flat[LANES];
    FN(store)(flat, bytes);
    int32_t *to = (int32_t *)&wide;
    for (int q = 0; q < LANES; q++) to[q] = flat[q];
    return wide;
}

/* The low bytes: for masks of 0 and -1. */
static inline i8v FN(narrow)(wide_t wide) {
#ifdef LANES_AVX2
    __m256i low = _mm256_packs_epi32((__m256i)wide.part[0], (__m256i)wide.part[1]);
    __m256i high = _mm256_packs_epi32((__m256i)wide.part[2], (__m256i)wide.part[3]);
    __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    return (i8v)_mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
#else
    int8_t flat[LANES];
    const int32_t *from = (const int32_t *)&wide;
    for (int q = 0; q < LANES; q++) flat[q] = (int8_t)from[q];
    return FN(load)(flat);
#endif
}

/* h of a ROW_PAIRS or ROW_WIDE row. */
static inline wide_t FN(wide_field)(const chains_t *g, const row_t *row, const uint32_t *code) {
    wide_t sum;
    for (int v = 0; v < 4; v++) sum.part[v] = (i32v){0};
    const uint8_t *spins = g->spins;
    for (uint32_t start = 0; start < row->singles; start += 128) {
        uint32_t stop = row->singles - start < 128 ? row->singles : start + 128;
#ifdef LANES_AVX2
        /* A pair's sum is within +-254, so 128 of them stay within 16 bits. */
        __m256i a = _mm256_setzero_si256(), b = a;
#pragma GCC unroll 4
        for (uint32_t i = start; i < stop; i++, code += 2) {
            const __m256i *pair = (const __m256i *)(g->paired + (size_t)code[0] * 64);
            __m256i weights = _mm256_set1_epi16((short)code[1]);
            a = _mm256_add_epi16(a, _mm256_maddubs_epi16(_mm256_loadu_si256(pair), weights));
            b = _mm256_add_epi16(b, _mm256_maddubs_epi16(_mm256_loadu_si256(pair + 1), weights));
        }
        sum.part[0] += (i32v)_mm256_cvtepi16_epi32(_mm256_castsi256_si128(a));
        sum.part[1] += (i32v)_mm256_cvtepi16_epi32(_mm256_castsi256_si128(b));
        sum.part[2] += (i32v)_mm256_cvtepi16_epi32(_mm256_extracti128_si256(a, 1));
        sum.part[3] += (i32v)_mm256_cvtepi16_epi32(_mm256_extracti128_si256(b, 1));
#else
        int16_t part[LANES] = {0};
        int32_t *to = (int32_t *)&sum;
        for (uint32_t i = start; i < stop; i++, code += 2) {
            const int8_t *first = (const int8_t *)spins + (size_t)code[0] * 2 * LANES;
            int8_t j0 = (int8_t)code[1], j1 = (int8_t)(code[1] >> 8);
            for (int q = 0; q < LANES; q++) part[q] += (int16_t)((int8_t)(first[q] & j0) + (int8_t)(first[LANES + q] & j1));
        }
        for (int q = 0; q < LANES; q++) to[q] += part[q];
#endif
    }
    for (uint32_t i = 0; i < row->general; i++) {
        uint32_t k = code[0];
        int32_t weight = (int32_t)code[1];
        i8v mask = SPIN(code[2]);
        for (uint32_t j = 1; j < k; j++) mask ^= SPIN(code[2 + j]);
        wide_t masks = FN(widen)(mask);
        for (int v = 0; v < 4; v++) sum.part[v] += masks.part[v] & weight;
        code += 2 + k;
    }
    for (int v = 0; v < 4; v++) sum.part[v] = row->base - 2 * sum.part[v];
    return sum;
#undef SPIN
}

static inline wide_t FN(draws_by_position)(const uint32_t *u) {
    wide_t out;
#ifdef LANES_AVX2
    for (int half = 0; half < 2; half++) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(u + 16 * half)), b = _mm256_loadu_si256((const __m256i *)(u + 16 * half + 8));
        __m256i low = _mm256_unpacklo_epi32(b, a), high = _mm256_unpackhi_epi32(b, a);
        out.part[half] = (i32v)_mm256_permute2x128_si256(low, high, 0x20);
        out.part[2 + half] = (i32v)_mm256_permute2x128_si256(low, high, 0x31);
    }
#else
    uint32_t *to = (uint32_t *)&out;
    for (int q = 0; q < LANES; q++) to[q] = u[slot_of[q]];
#endif
    return out;
}

/* Weak outcomes from h: a float approximation of the odds 2^-y decides unless the draw is within a relative 2^-11 and an absolute 4
 * of the threshold. What it leaves out against the exact rule: y is rounded to 2^-12 (a relative 8.5e-5 of the odds), M to 16 bits
 * and through two tables (2.3e-5), the polynomial 4e-6, float rounding 3e-6: 1.2e-4 in all, a quarter of what is granted. */
static inline wide_t FN(weak_wide)(const program_t *p, const table_t *t, const wide_t *h, const uint32_t *draws, int rule) {
    const float factor = (float)t->beta * 0x1p-21f;
    wide_t u = FN(draws_by_position)(draws), weak, unsure;
    i32v any = {0};
    for (int v = 0; v < 4; v++) {
        i32v sign = h->part[v] >> 31;
        f32v y = __builtin_convertvector((h->part[v] ^ sign) - sign, f32v) * factor;
        i32v far = y > 40.0f;
        y = (f32v)(((i32v)y & ~far) | ((i32v)((f32v){0} + 40.0f) & far));
        i32v whole = __builtin_convertvector(y, i32v);
        f32v z = y - __builtin_convertvector(whole, f32v);
        /* 2^-z for z in 0..1, least squares at Chebyshev nodes */
        f32v power = 0.99999732f + z * (-0.69302815f + z * (0.23933169f + z * (-0.05305992f + z * 0.0067603015f)));
        f32v odds_ = power * (f32v)((127 - whole) << 23);
        f32v draw = __builtin_convertvector((i32v)((u32v)u.part[v] >> 1), f32v);
        /* gibbs: u < 2^32 q / (1 + q) without the division */
        f32v left = rule == RULE_GIBBS ? draw + draw * odds_ : draw;
        f32v right = odds_ * 0x1p31f, slack = right * 0x1p-11f + 4.0f, distance = left - right;
        weak.part[v] = distance < 0.0f;
        unsure.part[v] = (distance < slack) & (-distance < slack);
        any |= unsure.part[v];
    }
    uint64_t bits[4];
    __builtin_memcpy(bits, &any, 32);
    if (__builtin_expect((bits[0] | bits[1] | bits[2] | bits[3]) != 0, 0)) {
        const int32_t *fields = (const int32_t *)h, *open = (const int32_t *)&unsure;
        int32_t *out = (int32_t *)&weak;
        for (int q = 0; q < LANES; q++)
            if (open[q]) out[q] = -weak_exact(p, (uint64_t)(fields[q] < 0 ? -(int64_t)fields[q] : fields[q]), t->beta, draws[slot_of[q]], rule);
    }
    return weak;
}

/* Strong outcomes (0xFF where not weak) of a ROW_BYTE row: |x| indexes the thresholds, and the upper 16 bits of the draw decide
 * unless they are equal or |x| is past the table. `index` is |h| / (2 unit) rounded down. */
static inline i8v FN(strong_bytes)(const program_t *p, const table_t *t, int parity, i8v index, const uint32_t *u, int rule) {
#ifdef LANES_AVX2
    const __m256i *draws = (const __m256i *)u;
    __m256i limit = _mm256_set1_epi8((char)t->limit), at = (__m256i)index;
    __m256i over = _mm256_cmpgt_epi8(at, limit), k = _mm256_min_epu8(at, limit);
#define TABLE(name, half) _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(t->name[parity] + half)))
    __m256i high = _mm256_shuffle_epi8(TABLE(high, 0), k), low = _mm256_shuffle_epi8(TABLE(low, 0), k);
    if (t->limit == 31) {
        __m256i upper = _mm256_cmpgt_epi8(k, _mm256_set1_epi8(15));
        high = _mm256_blendv_epi8(high, _mm256_shuffle_epi8(TABLE(high, 16), k), upper);
        low = _mm256_blendv_epi8(low, _mm256_shuffle_epi8(TABLE(low, 16), k), upper);
    }
#undef TABLE
    __m256i t0 = _mm256_unpacklo_epi8(low, high), t1 = _mm256_unpackhi_epi8(low, high);
    __m256i u0 = _mm256_blend_epi16(_mm256_loadu_si256(draws), _mm256_srli_epi32(_mm256_loadu_si256(draws + 1), 16), 0x55);
    __m256i u1 = _mm256_blend_epi16(_mm256_loadu_si256(draws + 2), _mm256_srli_epi32(_mm256_loadu_si256(draws + 3), 16), 0x55);
    __m256i strong = _mm256_packs_epi16(
        _mm256_cmpeq_epi16(_mm256_max_epu16(u0, t0), u0), _mm256_cmpeq_epi16(_mm256_max_epu16(u1, t1), u1));
    __m256i equal = _mm256_packs_epi16(_mm256_cmpeq_epi16(u0, t0), _mm256_cmpeq_epi16(u1, t1));
    __m256i unsure = _mm256_or_si256(equal, _mm256_andnot_si256(strong, over));
    if (__builtin_expect(!_mm256_testz_si256(unsure, unsure), 0)) {
        uint32_t bits = (uint32_t)_mm256_movemask_epi8(unsure);
        uint8_t lanes[LANES], indices[LANES];
        _mm256_storeu_si256((__m256i *)lanes, strong);
        _mm256_storeu_si256((__m256i *)indices, at);
        for (; bits; bits &= bits - 1) {
            int q = __builtin_ctz(bits);
            uint64_t a = (uint64_t)p->unit * (2u * indices[q] + (unsigned)parity);
            lanes[q] = weak_exact(p, a, t->beta, u[slot_of[q]], rule) ? 0 : 0xFF;
        }
        strong = _mm256_loadu_si256((const __m256i *)lanes);
    }
    return (i8v)strong;
#else
    uint8_t lanes[LANES], indices[LANES];
    FN(store)(indices, index);
    for (int q = 0; q < LANES; q++) {
        uint32_t draw = u[slot_of[q]];
        if (indices[q] <= t->limit) lanes[q] = draw >= t->whole[parity][indices[q]] ? 0xFF : 0;
        else lanes[q] = weak_exact(p, (uint64_t)p->unit * (2u * indices[q] + (unsigned)parity), t->beta, draw, rule) ? 0 : 0xFF;
    }
    return FN(load)(lanes);
#endif
}

/* The interleaved copy of spins 2k and 2k + 1 that ROW_PAIRS rows multiply with their weights. */
static inline void FN(mirror_pair)(const program_t *p, const chains_t *g, uint32_t pair) {
#ifdef LANES_AVX2
    i8v one = FN(splat)(1);
    i8v even = FN(load)(g->spins + (size_t)pair * 64) & one;
    i8v odd = 2 * pair + 1 < p->n ? FN(load)(g->spins + (size_t)pair * 64 + 32) & one : (i8v){0};
    _mm256_storeu_si256((__m256i *)(g->paired + (size_t)pair * 64), _mm256_unpacklo_epi8((__m256i)even, (__m256i)odd));
    _mm256_storeu_si256((__m256i *)(g->paired + (size_t)pair * 64 + 32), _mm256_unpackhi_epi8((__m256i)even, (__m256i)odd));
#else
    (void)p, (void)g, (void)pair;
#endif
}

typedef struct {
    i16v q_even, q_odd;   /* sums of s x over flips of ROW_BYTE rows: energy changes by 4 unit of it */
    i8v flips, odd_flips; /* -flips, and -flips in rows of parity 1: energy changes by 2 unit of those */
    wide_t wide;          /* sums of s h over flips of the other rows: energy changes by twice that */
} FN(sums_t);
#define sums_t FN(sums_t)

static inline __attribute__((always_inline)) void FN(update)(
    const program_t *p, const chains_t *g, const table_t *t, const row_t *row, const uint32_t *u, int rule, sums_t *sums) {
    uint8_t *here = g->spins + (size_t)row->spin * LANES;
    const i8v zero = {0}, inverted = FN(splat)(p->inverted ? -1 : 0);
    i8v negative = FN(load)(here) ^ inverted, flip;
    if (row->kind == ROW_BYTE) {
        i8v x = FN(byte_field)(g->spins, row, p->code + row->code);
        i8v even = FN(splat)(row->parity - 1), below = x < zero;
        i8v index = (x ^ below) - (below & even);
        i8v along = (x ^ negative) - (negative & even);
        i8v strong;
        if (__builtin_expect(row->reach <= t->reach, 1)) {
            strong = FN(strong_bytes)(p, t, row->parity, index, u, rule);
        } else {
            wide_t h = FN(widen)(x);
            for (int v = 0; v < 4; v++) h.part[v] = p->unit * (2 * h.part[v] + row->parity);
            strong = ~FN(narrow)(FN(weak_wide)(p, t, &h, u, rule));
        }
        if (rule == RULE_GIBBS) flip = negative ^ ~(below ^ strong);
        else flip = ~((i8v)(along > ~even) & strong);
        i8v gain = along & flip;
        sums->q_even += (i16v)((i16v)gain << 8) >> 8;
        sums->q_odd += (i16v)gain >> 8;
        sums->odd_flips += flip & ~even;
    } else {
        wide_t h = FN(wide_field)(g, row, p->code + row->code), old = FN(widen)(negative), change;
        wide_t weak = FN(weak_wide)(p, t, &h, u, rule);
        for (int v = 0; v < 4; v++) {
            i32v along = (h.part[v] ^ old.part[v]) - old.part[v];
            change.part[v] = rule == RULE_GIBBS ? old.part[v] ^ (h.part[v] >> 31) ^ weak.part[v] : (i32v)(along <= 0) | weak.part[v];
            sums->wide.part[v] += along & change.part[v];
        }
        flip = FN(narrow)(change);
    }
    sums->flips += flip;
    i8v updated = negative ^ flip;
    FN(store)(here, updated ^ inverted);
    if (p->complement) FN(store)(here + (size_t)p->n * LANES, ~updated);
    if (p->pairs) FN(mirror_pair)(p, g, row->spin >> 1);
}

static inline __attribute__((always_inline)) void FN(sweep)(
    const program_t *program, const chains_t *chains, const table_t *table, uint32_t *draws, int rule) {
    /* Copies that no store to the chains can alias, so that their members stay in registers. */
    const program_t p = *program;
    const chains_t g = *chains;
    const table_t t = *table;
    for (uint32_t start = 0; start < p.rows; start += BLOCK) {
        uint32_t count = p.rows - start < BLOCK ? p.rows - start : BLOCK;
        FN(draw)(g.random, draws, count);
        sums_t sums;
        memset(&sums, 0, sizeof sums);
        for (uint32_t r = 0; r < count; r++) FN(update)(&p, &g, &t, p.row + start + r, draws + (size_t)r * LANES, rule, &sums);
        const int16_t *even = (const int16_t *)&sums.q_even, *odd = (const int16_t *)&sums.q_odd;
        const int8_t *flips = (const int8_t *)&sums.flips, *odd_flips = (const int8_t *)&sums.odd_flips;
        const int32_t *wide = (const int32_t *)&sums.wide;
        for (int q = 0; q < LANES; q++) {
            int64_t gain = q & 1 ? odd[q >> 1] : even[q >> 1];
            g.energy[q] += p.unit * (4 * gain - 2 * (int64_t)odd_flips[q]) + 2 * (int64_t)wide[q];
            g.flips[q] -= flips[q];
        }
    }
}

/* Take over the states of chains whose energy is below their best. */
static inline void FN(note_best)(const program_t *p, const chains_t *g, int64_t number) {
    int8_t better[LANES];
    int any = 0;
    for (int q = 0; q < LANES; q++) {
        int improved = g->energy[q] < g->best_energy[q];
        better[q] = improved ? -1 : 0;
        any |= improved;
        g->best_energy[q] = improved ? g->energy[q] : g->best_energy[q];
        g->best_sweep[q] = improved ? number : g->best_sweep[q];
    }
    if (!any) return;
    i8v take = FN(load)(better), inverted = FN(splat)(p->inverted ? -1 : 0);
    for (size_t i = 0; i < p->n; i++) {
        i8v best = FN(load)(g->best + i * LANES), spin = FN(load)(g->spins + i * LANES) ^ inverted;
        FN(store)(g->best + i * LANES, best ^ ((best ^ spin) & take));
    }
}

static void FN(sweeps)(
    const program_t *p, const chains_t *g, uint64_t group, const uint32_t *words, int64_t count, int64_t done, int rule,
    const keep_t *keep) {
    uint32_t draws[BLOCK * LANES] __attribute__((aligned(64)));
    table_t table;
    for (int64_t i = 0; i < count; i++) {
        if (i == 0 || words[i] != table.beta) FN(make_table)(p, words[i], rule, &table);
        if (rule == RULE_GIBBS) FN(sweep)(p, g, &table, draws, RULE_GIBBS);
        else FN(sweep)(p, g, &table, draws, RULE_METROPOLIS);
        int64_t number = done + i + 1;
        FN(note_best)(p, g, number);
        if (keep->every && number > keep->burn_in && (number - keep->burn_in) % keep->every == 0) {
            int64_t sample = (int64_t)group * LANES * keep->kept + (number - keep->burn_in) / keep->every - 1;
            unpack(p, g->spins, p->inverted, keep->out + sample * p->n, keep->kept * (int64_t)p->n, lanes_used(group, keep->chains));
        }
    }
}

#undef i8v
#undef i16v
#undef u32v
#undef i32v
#undef f32v
#undef table_t
#undef sums_t
#undef wide_t
#undef ROTL
#undef FN
#undef CAT
#undef CAT_
