// A verilated unit behind a small C interface: registers over AXI4-Lite, batches over two AXI4-Streams, cycle by cycle.
//
// Every call runs the clock for as long as it needs, a bounded number of cycles; a batch that is under way goes on in each of them.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "Vunit.h"
#include "verilated.h"

namespace {

// Whether a stream pauses in a cycle, and in which order the channels of a register access begin.
class Dice {
public:
    explicit Dice(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}

    // Returns true in `share` of 256 throws.
    bool throws(uint32_t share) {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return (state_ >> 32 & 255) < share;
    }

private:
    uint64_t state_;
};

// A beat of 64 bits is a number, a wider one an array of words of 32 bits; either is given as words of 64 bits, the low one first.
void put(QData& beat, const uint64_t* words) { beat = words[0]; }

template <std::size_t N>
void put(VlWide<N>& beat, const uint64_t* words) {
    for (std::size_t i = 0; i < N; ++i) beat[i] = static_cast<EData>(words[i / 2] >> (32 * (i % 2)));
}

constexpr uint64_t JOB_WORDS = sizeof(std::remove_reference_t<decltype(Vunit::s_axis_tdata)>) / sizeof(uint64_t);

enum Status : int32_t { RUNNING = 0, ANSWERED = 1, OVERFLOWED = 2 };

class Unit {
public:
    Unit(uint32_t undefined, uint64_t seed, uint32_t job_pauses, uint32_t result_pauses)
        : dice_(seed), job_pauses_(job_pauses), result_pauses_(result_pauses), pauses_(job_pauses || result_pauses) {
        context_.randReset(static_cast<int>(undefined));
        context_.randSeed(static_cast<int>(seed & 0x7FFFFFFF) + 1);
        top_ = std::make_unique<Vunit>(&context_, "unit");
        top_->clk = 0;
        top_->s_axi_awvalid = top_->s_axi_wvalid = top_->s_axi_bready = top_->s_axi_arvalid = top_->s_axi_rready = 0;
        top_->s_axis_tvalid = top_->m_axis_tready = 0;
        top_->rst = 1;
        for (int i = 0; i < 16; ++i) edge();
        top_->rst = 0;
        edge();
    }

    ~Unit() { top_->final(); }

    uint64_t cycles() const { return cycles_; }

    // Returns the response (0 is OKAY), or -1 where there is none within `limit` cycles.
    int32_t read(uint32_t offset, uint32_t* word, uint64_t limit) {
        top_->s_axi_araddr = offset;
        top_->s_axi_arvalid = 1;
        for (; limit; --limit) {
            cycle();
            if (top_->s_axi_rvalid && top_->s_axi_rready) {
                *word = top_->s_axi_rdata;
                const int32_t response = top_->s_axi_rresp;
                top_->s_axi_rready = 0;
                cycle();
                return response;
            }
            if (top_->s_axi_arvalid && top_->s_axi_arready) top_->s_axi_arvalid = 0;
            top_->s_axi_rready = !pauses_ || dice_.throws(128);
        }
        top_->s_axi_arvalid = top_->s_axi_rready = 0;
        cycle();
        return -1;
    }

    // As `read`. Address and data begin together, or either first where streams pause.
    int32_t write(uint32_t offset, uint32_t word, uint64_t limit) {
        bool address = true, data = true;
        top_->s_axi_awaddr = offset;
        top_->s_axi_wdata = word;
        for (; limit; --limit) {
            if (address && !top_->s_axi_awvalid) top_->s_axi_awvalid = !pauses_ || dice_.throws(96);
            if (data && !top_->s_axi_wvalid) top_->s_axi_wvalid = !pauses_ || dice_.throws(96);
            cycle();
            if (top_->s_axi_bvalid && top_->s_axi_bready) {
                const int32_t response = top_->s_axi_bresp;
                top_->s_axi_bready = 0;
                cycle();
                return response;
            }
            if (top_->s_axi_awvalid && top_->s_axi_awready) address = top_->s_axi_awvalid = 0;
            if (top_->s_axi_wvalid && top_->s_axi_wready) data = top_->s_axi_wvalid = 0;
            top_->s_axi_bready = !pauses_ || dice_.throws(128);
        }
        top_->s_axi_awvalid = top_->s_axi_wvalid = top_->s_axi_bready = 0;
        cycle();
        return -1;
    }

    // `jobs` are `count` words, whole beats, and `answer` has room for `room`; both must stay where they are until the batch is answered or
    // abandoned.
    void begin(const uint64_t* jobs, uint64_t count, uint64_t* answer, uint64_t room) {
        jobs_ = jobs, count_ = count, sent_ = 0;
        answer_ = answer, room_ = room, arrived_ = 0;
        status_ = RUNNING;
    }

    int32_t step(uint64_t limit, uint64_t* sent, uint64_t* arrived) {
        while (limit-- && status_ == RUNNING) cycle();
        *sent = sent_, *arrived = arrived_;
        return status_;
    }

    void abandon() {
        status_ = ANSWERED;
        count_ = sent_ = 0;
        top_->s_axis_tvalid = top_->m_axis_tready = 0;
        edge();
    }

private:
    // One cycle: what the streams hand over in the one before, what the unit is given in this one. Inputs keep what was set until the
    // next call, so that between two calls outputs and inputs are those of one and the same cycle.
    void cycle() {
        if (top_->s_axis_tvalid && top_->s_axis_tready) {
            sent_ += JOB_WORDS;
            top_->s_axis_tvalid = 0;
        }
        if (top_->m_axis_tvalid && top_->m_axis_tready) take();
        if (!top_->s_axis_tvalid && sent_ < count_ && !(job_pauses_ && dice_.throws(job_pauses_))) {
            put(top_->s_axis_tdata, jobs_ + sent_);
            top_->s_axis_tlast = sent_ + JOB_WORDS == count_;
            top_->s_axis_tvalid = 1;
        }
        top_->m_axis_tready = status_ == RUNNING && !(result_pauses_ && dice_.throws(result_pauses_));
        edge();
    }

    void take() {
        if (arrived_ == room_) {
            status_ = OVERFLOWED;
            return;
        }
        answer_[arrived_++] = top_->m_axis_tdata;
        if (top_->m_axis_tlast) status_ = ANSWERED;
    }

    void edge() {
        top_->clk = 0;
        top_->eval();
        top_->clk = 1;
        top_->eval();
        ++cycles_;
    }

    VerilatedContext context_;
    std::unique_ptr<Vunit> top_;
    Dice dice_;
    const uint32_t job_pauses_, result_pauses_;
    const bool pauses_;
    uint64_t cycles_ = 0;
    const uint64_t* jobs_ = nullptr;
    uint64_t count_ = 0, sent_ = 0;
    uint64_t* answer_ = nullptr;
    uint64_t room_ = 0, arrived_ = 0;
    Status status_ = ANSWERED;
};

Unit* unit(void* handle) { return static_cast<Unit*>(handle); }

}  // namespace

// The interface. `ebmhw_unit_job_words`: words of a beat of the job stream. `ebmhw_unit_create` takes how undefined bits start (0: as 0, 1: as 1,
// 2: at random), a seed, and in how many of 256 cycles each stream pauses; other functions take what it returns.
extern "C" {

uint64_t ebmhw_unit_job_words() { return JOB_WORDS; }
void* ebmhw_unit_create(uint32_t undefined, uint64_t seed, uint32_t job_pauses, uint32_t result_pauses) {
    return new Unit(undefined, seed, job_pauses, result_pauses);
}
void ebmhw_unit_destroy(void* handle) { delete unit(handle); }
uint64_t ebmhw_unit_cycles(void* handle) { return unit(handle)->cycles(); }
int32_t ebmhw_unit_read(void* handle, uint32_t offset, uint32_t* word, uint64_t limit) { return unit(handle)->read(offset, word, limit); }
int32_t ebmhw_unit_write(void* handle, uint32_t offset, uint32_t word, uint64_t limit) { return unit(handle)->write(offset, word, limit); }
void ebmhw_unit_begin(void* handle, const uint64_t* jobs, uint64_t count, uint64_t* answer, uint64_t room) {
    unit(handle)->begin(jobs, count, answer, room);
}
int32_t ebmhw_unit_step(void* handle, uint64_t limit, uint64_t* sent, uint64_t* arrived) { return unit(handle)->step(limit, sent, arrived); }
void ebmhw_unit_abandon(void* handle) { unit(handle)->abandon(); }
}
