// Plays a job stream through the unit: testbench JOBS ANSWERS [EXPECTED].
//
// Files hold beats one after another: the bytes of TDATA, low byte first, then a byte that is 1 where TLAST is set. A job stream ends with TLAST.
// Returns 0 unless a file is not right or the answers are not the expected ones.
#include <cstdio>
#include <string>
#include <vector>

#include "phi_unit.hpp"

namespace {

template <typename Beat, int BITS>
bool read_beats(const char* path, std::vector<Beat>& beats) {
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) {
    std::fprintf(stderr, "%s cannot be opened\n", path);
    return false;
  }
  const std::size_t size = BITS / 8 + 1;
  unsigned char bytes[BITS / 8 + 1];
  std::size_t got;
  while ((got = std::fread(bytes, 1, size, file)) == size) {
    Beat beat;
    for (int at = 0; at < BITS / 8; ++at) beat.data.range(8 * at + 7, 8 * at) = bytes[at];
    beat.last = bytes[BITS / 8];
    beats.push_back(beat);
  }
  std::fclose(file);
  if (got != 0 || beats.empty() || !beats.back().last) {
    std::fprintf(stderr, "%s is not whole beats of %d bytes of which the last one has TLAST\n", path, int(size));
    return false;
  }
  return true;
}

template <typename Beat, int BITS>
bool write_beats(const char* path, const std::vector<Beat>& beats) {
  std::FILE* file = std::fopen(path, "wb");
  if (file == nullptr) {
    std::fprintf(stderr, "%s cannot be written\n", path);
    return false;
  }
  for (const Beat& beat : beats) {
    for (int at = 0; at < BITS / 8; ++at) std::fputc(int(beat.data.range(8 * at + 7, 8 * at)), file);
    std::fputc(int(beat.last), file);
  }
  return std::fclose(file) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: testbench JOBS ANSWERS [EXPECTED]\n");
    return 2;
  }
  std::vector<JobBeat> sent;
  if (!read_beats<JobBeat, JOB_BITS>(argv[1], sent)) return 2;
  hls::stream<JobBeat> jobs("jobs");
  hls::stream<ResultBeat> results("results");
  for (const JobBeat& beat : sent) jobs.write(beat);

  std::size_t packets = 0;
  for (; !jobs.empty(); ++packets) phi_unit(jobs, results);
  std::vector<ResultBeat> answers;
  while (!results.empty()) answers.push_back(results.read());
  if (!write_beats<ResultBeat, RESULT_BITS>(argv[2], answers)) return 2;
  std::printf("%lu packets, %lu beats in, %lu beats out\n", (unsigned long)packets, (unsigned long)sent.size(), (unsigned long)answers.size());

  if (argc == 4) {
    std::vector<ResultBeat> expected;
    if (!read_beats<ResultBeat, RESULT_BITS>(argv[3], expected)) return 2;
    if (answers.size() != expected.size()) {
      std::fprintf(stderr, "%lu beats of answers, not %lu\n", (unsigned long)answers.size(), (unsigned long)expected.size());
      return 1;
    }
    for (std::size_t at = 0; at < answers.size(); ++at) {
      if (answers[at].data != expected[at].data || answers[at].last != expected[at].last) {
        std::fprintf(stderr, "beat %lu of the answers differs\n", (unsigned long)at);
        return 1;
      }
    }
  }
  return 0;
}
