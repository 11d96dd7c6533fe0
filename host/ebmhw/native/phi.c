/* Entry points of the phi unit's kernel (called through ctypes), and the choice of the instruction set. */
#include "phi.h"
#include "targets.h"

static const uint8_t item_sizes[] = {2, 2, 4, 8};

/* The chosen entry of a row, if it is there and valid. */
static void choose(const phi_job_t *job, const char *row, uint64_t number, phi_record_t *record) {
    if (!job->chosen) return;
    const int64_t chosen = job->chosen[number];
    if (chosen < job->first_entry || chosen - job->first_entry >= job->entries) return;
    const char *from = row + (chosen - job->first_entry) * job->entry_stride;
    uint32_t bits;
    uint16_t half;
    double value;
    switch (job->format) {
    case FLOAT16: memcpy(&half, from, 2); bits = widened(half); break;
    case BFLOAT16: memcpy(&half, from, 2); bits = (uint32_t)half << 16; break;
    case FLOAT64: memcpy(&value, from, 8); bits = bits_of((float)value); break;
    default: memcpy(&bits, from, 4);
    }
    if (is_masked(bits) || is_excluded(bits)) return;
    record->flags &= ~(uint32_t)NO_CHOICE;
    record->chosen = (uint32_t)chosen;
    record->z_chosen = z_of(float_of(bits));
}

#define LANES_NAME portable
#include "phi_lanes.h"
#undef LANES_NAME

#if HAVE_X86
TARGET_BEGIN("avx2,bmi")
#define LANES_NAME avx2
#define LANES_AVX2
#include "phi_lanes.h"
#undef LANES_NAME
TARGET_END

TARGET_BEGIN("avx2,bmi,avx512f,avx512vl,avx512bw")
#define LANES_NAME avx512
#define LANES_AVX512
#include "phi_lanes.h"
#undef LANES_NAME
#undef LANES_AVX2
#undef LANES_AVX512
TARGET_END
#endif

/* Rounding and subnormal numbers as IEEE 754 has them, whatever the caller's thread was set to (some libraries flush subnormal numbers). */
#if HAVE_X86
typedef unsigned int modes_t;
static modes_t set_modes(modes_t modes) {
    const modes_t before = _mm_getcsr();
    _mm_setcsr(modes);
    return before;
}
enum { USUAL_MODES = 0x1F80 };
#elif defined(__aarch64__)
typedef uint64_t modes_t;
static modes_t set_modes(modes_t modes) {
    modes_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(modes) : "memory");
    return before;
}
enum { USUAL_MODES = 0 };
#else
typedef int modes_t;
static modes_t set_modes(modes_t modes) { return modes; }
enum { USUAL_MODES = 0 };
#endif

/* What the binding must agree on: the sizes of the structures that it fills. */
API uint64_t ebmhw_phi_layout(void) { return (uint64_t)sizeof(phi_record_t) << 8 | sizeof(phi_job_t); }

/* Do rows first..stop-1 by an instruction set that this machine has; tables[f] = WT[f] + WU[f] 2^32. */
API void ebmhw_phi_rows(const phi_job_t *job, const uint64_t *tables, uint64_t first, uint64_t stop, int instruction_set) {
    static void (*const row[])(const phi_job_t *, const uint64_t *, uint64_t, phi_row_t *, phi_block_t *) = {
        row_portable,
#if HAVE_X86
        row_avx2,
        row_avx512,
#endif
    };
    const modes_t modes = set_modes(USUAL_MODES);
    phi_row_t r;
    phi_block_t block;
    memset(r.lanes, 0, sizeof r.lanes);
    for (uint64_t number = first; number < stop; number++) row[instruction_set](job, tables, number, &r, &block);
    set_modes(modes);
}
