/* Rows of logits, compiled once for each instruction set: define LANES_NAME, for AVX2 LANES_AVX2, for AVX-512 LANES_AVX512 as well. */

#define CAT_(a, b) a##_##b
#define CAT(a, b) CAT_(a, b)
#define FN(name) CAT(name, LANES_NAME)

/* Entries first .. first + count - 1 of a row as float32: where they lie, or in block->values; there -inf follows them up to BLOCK. */
static inline const void *FN(fetch)(const phi_job_t *job, const char *row, uint32_t first, uint32_t count, phi_block_t *block) {
    const int size = item_sizes[job->format];
    const char *from = row + (int64_t)first * job->entry_stride;
    if (job->entry_stride != size || count < BLOCK) {
        char *raw = (char *)block->raw;
#define GATHER(bytes) for (uint32_t i = 0; i < count; i++) memcpy(raw + bytes * i, from + (int64_t)i * job->entry_stride, bytes)
        if (size == 2) GATHER(2);
        else if (size == 4) GATHER(4);
        else GATHER(8);
#undef GATHER
        memset(raw + size * count, 0, size * (BLOCK - count));
        from = raw;
    }
    float *values = block->values;
    if (job->format == FLOAT16) {
        for (int i = 0; i < BLOCK; i++) {
            uint16_t half;
            memcpy(&half, from + 2 * i, 2);
            values[i] = float_of(widened(half));
        }
    } else if (job->format == BFLOAT16) {
        for (int i = 0; i < BLOCK; i++) {
            uint16_t half;
            memcpy(&half, from + 2 * i, 2);
            values[i] = float_of((uint32_t)half << 16);
        }
    } else if (job->format == FLOAT64) {
        for (int i = 0; i < BLOCK; i++) {
            double value;
            memcpy(&value, from + 8 * i, 8);
            values[i] = (float)value;
        }
    } else {
        if (count == BLOCK) return from;
        memcpy(values, from, 4 * BLOCK);
    }
    for (uint32_t i = count; i < BLOCK; i++) values[i] = float_of(0xFF800000u);
    return values;
}

#ifdef LANES_AVX2
typedef __m256 FN(second_t);
#else
typedef float FN(second_t);
#endif
#define second_t FN(second_t)

#ifdef LANES_AVX2
static inline float FN(largest)(__m256 v) {
    __m128 half = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_max_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
}

static inline int32_t FN(least)(__m256i v) {
    __m128i half = _mm_min_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    half = _mm_min_epi32(half, _mm_shuffle_epi32(half, 0x4E));
    return _mm_cvtsi128_si32(_mm_min_epi32(half, _mm_shuffle_epi32(half, 0xB1)));
}
#endif

/* Write z of a block of 128 entries, modulo RING, to `place`, where all of them are valid, |x| < 1024 and none lies below the window.
 * Returns 0, and has changed nothing but `place`, where that is not so. The largest entries of blocks that do not hold the row's largest so far
 * are gathered in `second`. */
static inline int FN(quantise)(phi_row_t *r, second_t *second, uint16_t *place, const char *values, uint32_t first) {
#if defined(LANES_AVX512)
    const __m512 scale = _mm512_set1_ps(32768.0f);
    __m512 tops = _mm512_set1_ps(float_of(0xFF800000u));
    __m512i lows = _mm512_set1_epi32(INT32_MAX);
#pragma GCC unroll 8
    for (int i = 0; i < BLOCK; i += 16) {
        const __m512 x = _mm512_loadu_ps((const float *)(const void *)(values + 4 * i));
        tops = _mm512_max_ps(x, tops);
        const __m512i whole = _mm512_cvt_roundps_epi32(_mm512_mul_ps(x, scale), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
        lows = _mm512_min_epi32(lows, whole);
        /* As below. */
        const __m512i xf = _mm512_slli_epi32(_mm512_add_epi32(whole, _mm512_set1_epi32(1)), 6);
        const __m512i halves = _mm512_and_si512(xf, _mm512_set1_epi32(~127));
        const __m512i mixed = _mm512_mask_mulhi_epu16(halves, 0x55555555u, halves, _mm512_set1_epi16(23637));
        const __m512i sum = _mm512_madd_epi16(mixed, _mm512_set1_epi32(23637 << 16 | 1));
        const __m512i z = _mm512_srai_epi32(_mm512_add_epi32(sum, _mm512_set1_epi32(256)), 9);
        _mm256_storeu_si256((__m256i *)(void *)(place + i), _mm512_cvtepi32_epi16(z));
    }
    const __m512i halves_of_tops = _mm512_castps_si512(tops);
    const __m256 top = _mm256_max_ps(_mm256_castsi256_ps(_mm512_castsi512_si256(halves_of_tops)),
                                     _mm256_castsi256_ps(_mm512_extracti64x4_epi64(halves_of_tops, 1)));
    const __m256i low = _mm256_min_epi32(_mm512_castsi512_si256(lows), _mm512_extracti64x4_epi64(lows, 1));
#elif defined(LANES_AVX2)
    const __m256 scale = _mm256_set1_ps(32768.0f);
    __m256 top = _mm256_set1_ps(float_of(0xFF800000u));
    /* Of NaN, of infinities and of whatever does not fit in 32 bits the conversion makes the least integer, so one minimum finds all. */
    __m256i low = _mm256_set1_epi32(INT32_MAX);
#pragma GCC unroll 8
    for (int i = 0; i < BLOCK; i += 16) {
        __m256i both[2];
        for (int half = 0; half < 2; half++) {
            const __m256 x = _mm256_loadu_ps((const float *)(const void *)(values + 4 * (i + 8 * half)));
            top = _mm256_max_ps(x, top);
            const __m256i whole = _mm256_cvttps_epi32(_mm256_floor_ps(_mm256_mul_ps(x, scale)));
            low = _mm256_min_epi32(low, whole);
            /* xf 2^7 holds xf >> 9 in its upper and (xf & 511) 2^7 in its lower half: exponent_of in one product each. */
            const __m256i xf = _mm256_slli_epi32(_mm256_add_epi32(whole, _mm256_set1_epi32(1)), 6);
            const __m256i halves = _mm256_and_si256(xf, _mm256_set1_epi32(~127));
            const __m256i mixed = _mm256_blend_epi16(halves, _mm256_mulhi_epu16(halves, _mm256_set1_epi16(23637)), 0x55);
            const __m256i sum = _mm256_madd_epi16(mixed, _mm256_set1_epi32(23637 << 16 | 1));
            const __m256i z = _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(256)), 9);
            both[half] = _mm256_and_si256(z, _mm256_set1_epi32(RING - 1));
        }
        const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(both[0], both[1]), 0xD8);
        _mm256_storeu_si256((__m256i *)(void *)(place + i), packed);
    }
#endif
#ifdef LANES_AVX2
    const float limit = r->best < 1023.0f ? r->best : 1023.0f;
    const __m256i above = _mm256_castps_si256(_mm256_cmp_ps(top, _mm256_set1_ps(limit), _CMP_GT_OQ));
    const __m256i below = _mm256_cmpgt_epi32(_mm256_set1_epi32(r->floor_low), low);
    if (_mm256_testz_si256(_mm256_or_si256(above, below), _mm256_set1_epi32(-1))) {
        *second = _mm256_max_ps(*second, top);
        return 1;
    }
    const float largest = FN(largest)(top);
    const int32_t lowest = FN(least)(low);
#else
    int32_t lowest = INT32_MAX, top = INT32_MIN, magnitude = 0;
    for (int i = 0; i < BLOCK; i++) {
        uint32_t bits;
        memcpy(&bits, values + 4 * i, 4);
        const int32_t absolute = (int32_t)(bits & 0x7FFFFFFF);
        magnitude = absolute > magnitude ? absolute : magnitude;
    }
    if (magnitude >= 0x44800000) return 0;
    for (int i = 0; i < BLOCK; i++) {
        float x;
        memcpy(&x, values + 4 * i, 4);
        const int32_t whole = floor_of(x), key = key_of(bits_of(x));
        lowest = whole < lowest ? whole : lowest;
        top = key > top ? key : top;
        place[i] = (uint16_t)exponent_of((whole + 1) >> 1);
    }
    const float largest = float_of(bits_of_key(top));
#endif
    if (lowest < r->floor_low || !(largest < 1024.0f)) return 0;
    if (largest > r->best) {
        const int64_t z_low = (int64_t)((z_of(largest) >> 10) - BINS + 1) * FRACTIONS;
        if (lowest < floor_of_z(z_low)) return 0;
        rise(r, largest, first);
        return 1;
    }
#ifdef LANES_AVX2
    *second = _mm256_max_ps(*second, top);
#else
    if (largest > *second) *second = largest;
#endif
    return 1;
}

/* The same for any block: entries without weight go to bin BINS. Returns 0 if all do. Everything is an integer and
 * nothing branches, so that compilers make vectors of it. */
static int FN(sort_out)(phi_row_t *r, uint32_t *index, const char *values, uint32_t first) {
    enum { CLIP = 0x45000000 }; /* bits of 2048.0 */
    int32_t z[BLOCK], top = INT32_MIN, bottom = INT32_MAX;
    int32_t masked = 0, valid = 0;
    for (int i = 0; i < BLOCK; i++) {
        uint32_t bits;
        memcpy(&bits, values + 4 * i, 4);
        const int32_t magnitude = (int32_t)(bits & 0x7FFFFFFF), sign = (int32_t)bits >> 31;
        const int32_t is_valid = -(magnitude < 0x7F800000), key = (magnitude ^ sign) - sign;
        masked += is_masked(bits);
        valid -= is_valid;
        const int32_t high = (key & is_valid) | (INT32_MIN & ~is_valid), low = (key & is_valid) | (INT32_MAX & ~is_valid);
        top = high > top ? high : top;
        bottom = low < bottom ? low : bottom;
        const uint32_t clipped = (uint32_t)(magnitude < CLIP ? magnitude : CLIP) | (bits & 0x80000000u);
        const int32_t xf = (floor_of(float_of(clipped)) + 1) >> 1;
        z[i] = (exponent_of(xf < XF_LIMIT ? xf : XF_LIMIT - 1) & is_valid) | (INT32_MIN & ~is_valid);
    }
    r->masked += (uint32_t)masked;
    r->excluded += (uint32_t)(BLOCK - masked - valid);
    if (!valid) return 0;
    r->clips |= (top >= CLIP ? CLIP_HI : 0) | (bottom < -CLIP ? CLIP_LO : 0);
    const float largest = float_of(bits_of_key(top));
    if (largest > r->best) rise(r, largest, first);
    else if (largest > r->second) r->second = largest;
    const int32_t z_low = r->z_low;
    int32_t weighty = 0;
    for (int i = 0; i < BLOCK; i++) {
        const int32_t has_weight = -(z[i] >= z_low);
        index[i] = (uint32_t)((z[i] & (RING - 1) & has_weight) | (RING & ~has_weight));
        weighty |= has_weight;
    }
    return weighty;
}

/* Add the weights of a block that `quantise` took. */
static inline void FN(add)(phi_row_t *r, const uint16_t *place, const uint64_t *tables) {
#ifdef LANES_AVX2
    /* Loads are what this waits for: one for four entries, whose parts take an instruction each, is 6 % faster than four. */
#pragma GCC unroll 8
    for (int i = 0; i < BLOCK; i += LANES) {
        uint64_t four;
        memcpy(&four, place + i, sizeof four);
#pragma GCC unroll 4
        for (unsigned lane = 0; lane < LANES; lane++)
            r->lanes[lane][__bextr_u64(four, (16 * lane + 10) | 6 << 8)] += tables[__bextr_u64(four, 16 * lane | 10 << 8)];
    }
#else
    for (int i = 0; i < BLOCK; i += LANES)
        for (int lane = 0; lane < LANES; lane++) r->lanes[lane][place[i + lane] / FRACTIONS] += tables[place[i + lane] % FRACTIONS];
#endif
    added(r);
}

/* All blocks of a row. */
static void FN(pass)(const phi_job_t *job, const uint64_t *tables, const char *row, phi_row_t *r, phi_block_t *block) {
#ifdef LANES_AVX2
    second_t second = _mm256_set1_ps(float_of(0xFF800000u));
#else
    second_t second = float_of(0xFF800000u);
#endif
    for (uint32_t first = 0; first < job->entries; first += BLOCK) {
        const uint32_t left = job->entries - first, size = left < BLOCK ? left : BLOCK;
        const char *values = FN(fetch)(job, row, first, size, block);
        /* Rows that are not in the cache take 16 % longer without it, and 6 % with 512 bytes. Past the end it does no harm. */
        const uintptr_t ahead = (uintptr_t)row + (uintptr_t)((int64_t)first * job->entry_stride) + 2048;
        for (unsigned i = 0; i < BLOCK * sizeof(float); i += 64) __builtin_prefetch((const void *)(ahead + i));
        if (FN(quantise)(r, &second, block->place, values, first)) {
            FN(add)(r, block->place, tables);
        } else {
            const int weighty = FN(sort_out)(r, block->index, values, first);
            r->masked -= BLOCK - size;
            if (weighty) add_sorted(r, block->index, tables);
        }
    }
#ifdef LANES_AVX2
    const float largest = FN(largest)(second);
#else
    const float largest = second;
#endif
    if (largest > r->second) r->second = largest;
    drain(r);
}

/* Where the largest entry lies, and the largest at any other position. */
static void FN(top_two)(const phi_job_t *job, const char *row, const phi_row_t *r, phi_block_t *block, phi_record_t *record) {
    const uint32_t left = job->entries - r->best_first, size = left < BLOCK ? left : BLOCK;
    const char *values = FN(fetch)(job, row, r->best_first, size, block);
    const int32_t best = key_of(bits_of(r->best));
    int32_t key[BLOCK], second = INT32_MIN;
    for (int i = 0; i < BLOCK; i++) {
        uint32_t bits;
        memcpy(&bits, values + 4 * i, 4);
        key[i] = is_masked(bits) | is_excluded(bits) ? INT32_MIN : key_of(bits);
    }
    uint32_t at = 0;
    /* It is there, unless another thread has changed the row since: then any place will do, but one within it. */
    while (at + 1 < size && key[at] != best) at++;
    key[at] = INT32_MIN;
    for (int i = 0; i < BLOCK; i++) second = key[i] > second ? key[i] : second;
    const int32_t other = key_of(bits_of(r->second));
    if (!is_masked(bits_of(r->second)) && other > second) second = other;
    record->argmax = job->first_entry + r->best_first + at;
    record->z1 = z_of(r->best);
    record->z2 = second == INT32_MIN ? INT32_MIN : z_of(float_of(bits_of_key(second)));
}

static void FN(row)(const phi_job_t *job, const uint64_t *tables, uint64_t number, phi_row_t *r, phi_block_t *block) {
    const char *row = job->logits + (int64_t)number * job->row_stride;
    phi_record_t *record = job->records + number;
    begin_row(r);
    FN(pass)(job, tables, row, r, block);
    memset(record, 0, sizeof *record);
    record->job_id = (uint32_t)number;
    record->masked = r->masked;
    record->excluded = r->excluded;
    record->valid = job->entries - r->masked - r->excluded;
    record->flags = (r->excluded ? EXCLUDED : 0) | r->clips | (record->valid ? 0 : EMPTY) | NO_CHOICE | (job->partial ? PARTIAL : 0);
    record->argmax = record->chosen = NO_POSITION;
    int64_t sums[2][BINS] = {{0}};
    if (record->valid) {
        FN(top_two)(job, row, r, block, record);
        choose(job, row, number, record);
        for (int d = 0; d < BINS; d++) {
            sums[0][d] = r->s[(unsigned)(r->kmax - d) % BINS];
            sums[1][d] = r->t[(unsigned)(r->kmax - d) % BINS];
        }
        if (!job->partial) finish(record, r->kmax, sums[0], sums[1], job->inverse);
    }
    if (!job->partial) return;
    job->kmax[number] = record->valid ? r->kmax : 0;
    memcpy(job->s + number * BINS, sums[0], sizeof sums[0]);
    memcpy(job->t + number * BINS, sums[1], sizeof sums[1]);
}

#undef second_t
#undef FN
#undef CAT
#undef CAT_
